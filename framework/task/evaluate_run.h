// amae evaluate: a bundle against the data of its own run or of another config.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/metrics.h"
#include "task/session.h"

namespace amae {

/// Evaluates the bundle of `run` on `split` ("train", "val", "test" or "all") of the plan's data, with the bundle's own
/// front end, and writes RUN/eval/SPLIT/ (or `out`). `run` may be a bundle's name. Throws InputError when the bundle
/// has no classes or others than the data, and when rows of the test split have trained it (code LEAK).
Metrics evaluate_run(const Plan& plan, const RunRequest& request, const std::filesystem::path& run,
                     const std::string& split, const std::filesystem::path& out,
                     const std::vector<int64_t>& test_folds);

}  // namespace amae
