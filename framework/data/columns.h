// A data set's columns with few values, numbers and texts alike: what splits are stratified by and figures sliced by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amae/dataset.h"

namespace amae {

/// One column: its distinct values, and which of them each row has.
struct ColumnValues {
  std::string name;
  bool is_numeric = false;
  std::vector<double> numbers;     ///< the values, rising (infinities too); empty for a text column
  std::vector<std::string> texts;  ///< the values as text; of a text column rising byte by byte, else as `numbers`
  std::vector<int32_t> index;      ///< of each row into the values; -1: the row has none (NaN, or no text)

  [[nodiscard]] size_t size() const { return texts.size(); }
};

/// More distinct values than this are no cells or slices any more, but a quantity.
constexpr size_t kMaxColumnValues = 1'000;

/// The columns of `names`, in that order. `where` and `field` are the place and name of the option that lists them.
/// Throws InputError (code COLUMN) with a problem for each name that is there twice, that the data set does not have
/// (those it has are listed), or that has more than kMaxColumnValues values.
std::vector<ColumnValues> column_values(const Dataset& dataset, const std::vector<std::string>& names,
                                        const std::string& where, const std::string& field);

/// All columns of 2 to `most` distinct values that each have at least five rows, by name: figures over fewer mean
/// little. Left out is a column that says no more than the class: one value for each class, one class for each value.
std::vector<ColumnValues> columns_for_slices(const Dataset& dataset, size_t most);

/// A data set is a plugin's: what it says of its rows (labels, folds, groups, columns) is checked once, so that nothing
/// later runs over an end. Throws InputError (code DATA, field "data").
void check_columns(const Dataset& dataset, const std::string& where);

}  // namespace amae
