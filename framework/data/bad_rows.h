// Rows whose sound cannot be read, of a data set that skips them (Dataset::skips_bad_rows).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "amae/dataset.h"

namespace amae {

/// Row -> what is wrong with it, one line.
using BadRows = std::map<int64_t, std::string>;

/// Dataset::content_hash(row), or "unreadable" for a row that is skipped because its file is not there.
std::string row_hash(const Dataset& dataset, int64_t row);

/// "3 of 400 samples cannot be read and are left out: a.wav, b.wav, …" (the first ten).
std::string bad_rows_text(const Dataset& dataset, const BadRows& bad);

/// {"count": 3, "list": [{"id": …, "problem": …}, …]}, all of them.
nlohmann::ordered_json bad_rows_json(const Dataset& dataset, const BadRows& bad);

/// `rows` without the bad ones, in the same order.
std::vector<int64_t> without(const std::vector<int64_t>& rows, const BadRows& bad);

}  // namespace amae
