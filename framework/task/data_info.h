// What a data set holds, from its table and the headers of its files: nothing is decoded.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "task/data_target.h"

namespace amae {

struct DataInfo {
  std::string name;
  int64_t rows = 0;
  std::string domain;

  /// Seconds of the rows whose length and rate are known.
  struct Durations {
    int64_t known = 0;
    double total = 0, shortest = 0, median = 0, longest = 0;
  } seconds;
  /// Samples a row, of the rows whose length is known.
  struct Lengths {
    int64_t known = 0, shortest = 0, longest = 0;
  } samples;
  std::map<double, int64_t> rates;      ///< rows of each rate in Hz; 0: unknown
  std::map<int64_t, int64_t> channels;  ///< rows of each number of channels; -1: unknown

  std::vector<std::string> classes;
  bool several_labels = false;               ///< a row may be of several classes
  int64_t unlabelled = 0;                    ///< rows of no class, where there are classes
  std::vector<int64_t> folds;                ///< those that exist, rising; empty: the data set has none
  std::vector<std::vector<int64_t>> counts;  ///< rows [class][fold]; one column when there are no folds
  int64_t groups = 0;                        ///< distinct source recordings; 0: unknown

  /// A numeric or text column.
  struct Column {
    std::string name;
    bool is_numeric = true;
    int64_t distinct = 0;                    ///< different values that rows have
    int64_t missing = 0;                     ///< rows without one
    double lowest = 0, highest = 0;          ///< of numbers
    std::vector<std::string> examples = {};  ///< of texts: the first few that rows have
  };
  std::vector<Column> columns;  ///< numeric ones first, by name

  std::vector<Problem> unreadable;  ///< rows whose header could not be read, in order; `field` is the row's id

  /// Rows of a class over all folds.
  [[nodiscard]] int64_t count_of(size_t k) const;
};

using DataProgress = std::function<void(int64_t done, int64_t total)>;

DataInfo data_info(const DataTarget& target, const DataProgress& progress = {});

/// Everything above under names that stay.
nlohmann::ordered_json to_json(const DataInfo& info);

/// Rows of each class, a bar a class, cut by fold.
std::string counts_svg(const DataInfo& info);

}  // namespace amae
