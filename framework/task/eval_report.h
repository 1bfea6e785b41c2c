// What an evaluation leaves in eval/SPLIT/.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "data/columns.h"
#include "report/metrics.h"
#include "train/evaluate.h"

namespace amae {

/// Writes metrics.json, per_class.csv, predictions.csv and, for one label a row, confusion.csv and confusion.svg into
/// `folder`, and what `slices` give (slices.h); returns the metrics. `extra` is merged into metrics.json.
Metrics write_eval_report(const std::filesystem::path& folder, const Dataset& dataset, const Scores& scores,
                          bool multi_label, const std::vector<ColumnValues>& slices,
                          const nlohmann::ordered_json& extra);

/// `groups`: of each scored row, or empty (metrics.h).
Metrics metrics_of(const Scores& scores, const std::vector<std::string>& classes, bool multi_label,
                   const std::vector<int64_t>& groups);

/// The JSON of metrics.json without loss, confusion matrix and slices.
nlohmann::ordered_json metrics_json(const Metrics& metrics);

/// confusion.csv's text: a header with predicted classes, a row for each true class.
std::string confusion_csv(const std::vector<std::string>& classes, const std::vector<std::vector<int64_t>>& counts);

}  // namespace amae
