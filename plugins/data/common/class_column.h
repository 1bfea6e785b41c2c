// The labels of rows that have one each: names to class numbers.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <vector>

#include "name_table.h"

namespace amae {

/// Throws InputError (field classes) for a name that is there twice.
void check_class_names(const std::vector<std::string>& classes);

class ClassColumn {
 public:
  static constexpr size_t kMostClasses = 65'535;

  /// `classes`: in label order; empty: those that occur, sorted. Throws as check_class_names().
  explicit ClassColumn(const std::vector<std::string>& classes);

  /// The label of the next row. Returns what is wrong with it ("got …, expected …"), or nothing; a row with a wrong
  /// label counts as one too.
  [[nodiscard]] std::string add(std::string_view label);

  [[nodiscard]] std::vector<std::string> classes() const;
  /// int64 [rows], each in 0..classes().size()-1. Only where no add() found fault.
  [[nodiscard]] at::Tensor labels() const;

 private:
  bool is_given_;
  NameTable names_;              // given: in label order; else in the order of their first row
  std::vector<uint32_t> label_;  // of each row, in names_
};

}  // namespace amae
