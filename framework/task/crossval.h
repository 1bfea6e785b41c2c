// folds: one run a test fold, and what they say together.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "task/run_folder.h"
#include "task/session.h"

namespace amae {

/// What a task does in one run folder, for the whole config or, where `fold` is not empty, for that test fold.
using Work = std::function<void(RunFolder& folder, const std::vector<int64_t>& fold)>;

/// The folds that the config asks for, none where it has no `folds`. Throws InputError at the option's place for data
/// with less than two folds and for one that is not there.
std::vector<int64_t> folds_to_run(const Plan& plan, const Dataset& dataset);

/// Does `work` in `run`; where the config has folds ("all": every fold of the data set), in RUN/folds/F for each fold F
/// that has not finished yet (`again`: for each), and then `conclude` in `run` with all of them. False when stopped.
bool carry_out(Plan& plan, const RunRequest& request, const std::filesystem::path& run, const Dataset& dataset,
               const Work& work, const Work& conclude, bool again = false);

/// Writes RUN/cv.json (mean and standard deviation of the folds' accuracies, accuracy over all items, the figures of
/// each fold), RUN/cv.csv, RUN/confusion.csv and RUN/confusion.svg (pooled), and what slices the folds have
/// (fold_slices.h); none of these for data without labels.
void cross_validate(RunFolder& folder, const Dataset& dataset, const std::vector<int64_t>& folds);

}  // namespace amae
