// A column of cells of which it shows only at the end whether they are numbers or texts.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "amae/dataset.h"
#include "name_table.h"

namespace amae {

/// Distinct cells are kept once, so that a million rows of a few values cost four bytes each.
class ColumnMaker {
 public:
  /// The cell of `row`; rows may be left out, but not visited twice or backwards. An empty cell is none.
  void set(size_t row, std::string_view cell);

  /// True when some row has a cell and every cell is a finite number.
  [[nodiscard]] bool is_numeric() const;

  /// Values of `rows` rows; NaN for those without a cell.
  [[nodiscard]] std::vector<double> numbers(size_t rows) const;
  /// Texts of `rows` rows, in the order of their first row; -1 for those without a cell.
  [[nodiscard]] TextColumn texts(size_t rows) const;

 private:
  NameTable cells_;
  std::vector<uint32_t> index_;  // into cells_; NameTable::kNone: the row has none
};

}  // namespace amae
