// The part of a check that needs no sound: what rows have in common, and how classes and folds are filled.
#pragma once

#include <string>
#include <vector>

#include "task/data_check.h"

namespace amae {

/// duplicate and clip_in_two_folds; hashes: of each row's content, empty where unknown.
void find_duplicates(const DataTarget& target, const std::vector<std::string>& hashes, CheckReport& report);

/// source_in_two_folds, and what the report says of sources.
void find_shared_sources(const DataTarget& target, CheckReport& report);

/// class_balance and class_missing; balance: CheckLimits::balance.
void find_odd_classes(const DataTarget& target, double balance, CheckReport& report);

}  // namespace amae
