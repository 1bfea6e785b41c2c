// folds: one run a test fold, and what they say together.
#pragma once

#include <filesystem>
#include <functional>

#include "task/session.h"

namespace amae {

/// The folds that config.folds means. Throws InputError at the option's place for data with less than two, and for one
/// that is not there.
std::vector<int64_t> folds_to_run(const Plan& plan, const Dataset& dataset);

/// Calls `train(RUN/folds/F, F)` for each fold of config.folds ("all": every fold of the data set) that has not
/// finished yet, then writes RUN/cv.json (mean and standard deviation of the folds' accuracies, accuracy over all
/// items, the figures of each fold), RUN/cv.csv, RUN/confusion.csv and RUN/confusion.svg (pooled), and what slices the
/// folds have (fold_slices.h); none of these for data without labels. False when a fold was stopped.
bool cross_validate(Plan& plan, const RunRequest& request, const std::filesystem::path& run, const Dataset& dataset,
                    const std::function<bool(const std::filesystem::path& fold_run, int64_t fold)>& train);

}  // namespace amae
