// Takes the rows of a table one by one, as its reader understood them, and makes a checked AudioTable of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio_table.h"
#include "problem_list.h"

namespace amae {

/// One row. The views need to live during RowCollector::add() only.
struct TableRow {
  int64_t line = 0;  ///< of the source, 1-based; 0 without one
  std::string_view path;
  std::span<const std::string_view> labels;
  std::optional<int64_t> fold;
  std::string_view group;  ///< empty: the file is its own group
  double start_s = 0, end_s = kToTheEnd;
  std::span<const double> columns;  ///< values of TableRules::columns
};

class RowCollector {
 public:
  explicit RowCollector(TableRules rules);

  /// Memory for so many rows; a guess will do.
  void reserve(uint64_t rows);

  void add(const TableRow& row);

  /// A problem that the reader itself saw in a row.
  void refuse(int64_t line, const std::string& field, const std::string& message);

  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] const TableRules& rules() const { return table_.rules; }

  /// Looks at every file and gives the table; classes that occur come in `class_order` where it is given.
  /// Throws one InputError with the first 20 problems and the count of the others: bad rows; missing files, counted and
  /// the first 20 named; files that lead out of the root; headers that cannot be read; sections outside their file;
  /// rows that stand twice; sound that is in two folds. With rules.skips_bad, missing files, bad headers and bad
  /// sections are no problem here, unless nothing is left.
  AudioTable finish(const std::vector<std::string>& class_order = {});

 private:
  void add_line(const TableRow& row);
  void add_section(const TableRow& row);
  void add_fold(const TableRow& row);
  void add_group(const TableRow& row, uint32_t file);
  void add_labels(const TableRow& row);
  [[nodiscard]] std::optional<uint32_t> class_number(const TableRow& row, std::string_view label);
  void number_classes(const std::vector<std::string>& class_order);

  AudioTable table_;
  ProblemList problems_;
  std::vector<std::vector<double>> columns_;
  NameTable class_names_, group_names_;
  std::vector<uint16_t> label_;    // numbers in class_names_, row after row
  std::vector<size_t> label_end_;  // of each row in label_; for several labels a row
  int64_t highest_ = -1;           // label, of those that are numbers
};

}  // namespace amae
