// Cells of rows that a random choice treats alike: a class, and within it the values of columns such as the SNR.
#pragma once

#include <cstdint>
#include <vector>

#include "amae/dataset.h"
#include "data/columns.h"

namespace amae {

/// Class of each row; 0 for all when rows have several labels or none.
std::vector<int64_t> class_of_rows(const Dataset& dataset);

struct Cells {
  struct Cell {
    int64_t label = 0;  ///< as class_of_rows
    uint64_t key = 0;   ///< names the cell's random stream: its label, or a hash of that and the columns' values
  };
  std::vector<Cell> all;        ///< in order of class, then of the first column's values, and so on; "none" last
  std::vector<int32_t> of_row;  ///< of each row into `all`
};

/// The cells that have rows: the classes alone without columns. A row that has no value in a column is in a cell with
/// the others of its class that have none.
Cells cells_of(const Dataset& dataset, const std::vector<ColumnValues>& columns);

/// `rows` by cell, each cell's in the given order.
std::vector<std::vector<int64_t>> rows_by_cell(const Cells& cells, const std::vector<int64_t>& rows);

/// Length of each list.
std::vector<int64_t> sizes_of(const std::vector<std::vector<int64_t>>& lists);

/// How many rows each cell gives away.
///
/// All classes together give round(rows * ratio), each class its exact share or less than one row beside it (largest
/// remainder; equal ones go to the lower class), and within a class each cell likewise (equal remainders in an order
/// drawn from `seed`, so that no value is favoured in every class). No cell gives more than `room`, no class more than
/// all but `kept` of the room it has; where that stands in the way, other cells give more.
/// sizes, room: of each cell, 0 <= room <= size.
std::vector<int64_t> cell_shares(const Cells& cells, const std::vector<int64_t>& sizes,
                                 const std::vector<int64_t>& room, int64_t kept, double ratio, uint64_t seed,
                                 uint32_t stage);

}  // namespace amae
