#include "column_maker.h"

#include <limits>

#include "cell.h"

namespace amae {

void ColumnMaker::set(size_t row, std::string_view cell) {
  cell = trimmed(cell);
  if (cell.empty()) return;
  index_.resize(row, NameTable::kNone);
  index_.push_back(cells_.add(cell));
}

bool ColumnMaker::is_numeric() const {
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (!finite_number(cells_[i])) return false;
  }
  return cells_.size() > 0;
}

std::vector<double> ColumnMaker::numbers(size_t rows) const {
  std::vector<double> values;
  for (size_t i = 0; i < cells_.size(); ++i) values.push_back(finite_number(cells_[i]).value());
  std::vector<double> column(rows, std::numeric_limits<double>::quiet_NaN());
  for (size_t row = 0; row < index_.size(); ++row) {
    if (index_[row] != NameTable::kNone) column[row] = values[index_[row]];
  }
  return column;
}

TextColumn ColumnMaker::texts(size_t rows) const {
  TextColumn column;
  for (size_t i = 0; i < cells_.size(); ++i) column.values.emplace_back(cells_[i]);
  column.index.assign(rows, -1);
  for (size_t row = 0; row < index_.size(); ++row) {
    if (index_[row] != NameTable::kNone) column.index[row] = static_cast<int32_t>(index_[row]);
  }
  return column;
}

}  // namespace amae
