// The figures of an evaluation for each value of a column: accuracy over SNR, and the like.
#pragma once

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "data/columns.h"
#include "report/metrics.h"
#include "task/run_config.h"
#include "train/evaluate.h"

namespace amae {

/// The evaluated rows that have one value.
struct Slice {
  std::string text;                                          ///< the value; "none": rows that have none
  bool has_value = true;                                     ///< false: rows that have none
  double number = std::numeric_limits<double>::quiet_NaN();  ///< the value of a numeric column
  Metrics metrics;
  double loss = 0;
  double accuracy_at_least = 0;  ///< accuracy over all rows of this value and higher ones, of a numeric column
};

/// A column's slices in order of value, those of no rows left out; "none" is the last.
struct SlicedColumn {
  std::string name;
  bool is_numeric = false;
  std::vector<Slice> slices;
  double mean_accuracy = 0;  ///< over the values ("none" is none), each counting the same however many rows it has
};

/// The columns that eval.slices asks for: ["auto"] is columns_for_slices() up to 100 values. Throws InputError (code
/// COLUMN, at the option's place) as column_values() does.
std::vector<ColumnValues> slice_columns(const Plan& plan, const Dataset& dataset);

/// Refuses what slice_columns() would refuse after the training.
void check_slices(const Plan& plan, const Dataset& dataset);

/// `groups`: of each scored row, or empty (metrics.h).
std::vector<SlicedColumn> slice(const std::vector<ColumnValues>& columns, const Scores& scores,
                                const std::vector<std::string>& classes, bool multi_label,
                                const std::vector<int64_t>& groups);

/// Writes slices.csv (every figure of every value), slices_per_class.csv (those of each class) and, for each numeric
/// column, accuracy_over_NAME.svg: all classes together and, up to 30 of them, each one's recall. Such files of an
/// earlier evaluation are removed.
void write_slices(const std::filesystem::path& folder, const std::vector<SlicedColumn>& columns);

/// {"snr": {"mean_accuracy": 0.56, "values": [{"value": -20, "count": …, "accuracy": …, …}, …]}}; a value is a number,
/// a text ("inf" too), or null for "none".
nlohmann::ordered_json slices_json(const std::vector<SlicedColumn>& columns);

/// File name of a column's curve: "accuracy_over_NAME.svg", with what has no place in one replaced; `taken` keeps the
/// names of one folder apart.
std::string curve_file(const std::string& column, std::vector<std::string>& taken);

}  // namespace amae
