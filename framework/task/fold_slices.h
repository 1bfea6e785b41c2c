// What the folds' slices say together (slices.h).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace amae {

/// `folds`: name and metrics.json of each fold. Writes RUN/slices.csv (for each value: in how many folds it was judged,
/// its rows, accuracy over all of them, and mean over those folds of every figure, for accuracy its deviation too) and
/// RUN/accuracy_over_NAME.svg of numeric columns (all folds together, and each one). Returns the same for cv.json:
/// {"snr": {"mean_accuracy": …, "values": [{"value": -20, "folds": 5, "count": …, "accuracy": …, "mean_accuracy": …,
/// "sd_accuracy": …, …}]}}; writes nothing and returns {} where no fold has slices. "accuracy" is over all rows, the
/// mean_accuracy of a column over its values (null, of rows without one, is none of them).
nlohmann::ordered_json write_fold_slices(const std::filesystem::path& run,
                                         const std::vector<std::pair<std::string, nlohmann::ordered_json>>& folds);

}  // namespace amae
