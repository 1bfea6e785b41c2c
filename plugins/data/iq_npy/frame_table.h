// The CSV table beside arrays of frames: a line a frame, in the order of the frames.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "amae/dataset.h"

namespace amae {

/// Columns of frames, as Dataset gives them; empty or undefined where the table has no such thing.
struct FrameTable {
  std::vector<std::string> classes;
  at::Tensor labels;
  std::vector<int64_t> folds, groups;
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, TextColumn> texts;
};

struct FrameTableRules {
  std::string file;
  std::string label, fold, group;    ///< columns; empty: not used. fold and group are used where the table has them
  std::vector<std::string> classes;  ///< in label order; empty: those that occur, sorted
  int64_t rows = 0;                  ///< that the table must have
};

/// Every other column is kept: as numbers where all its cells are, else as texts; empty cells are none. The label's
/// column is kept too, as the texts "modulation". Throws one InputError with the first 20 problems (code IQ-TABLE,
/// where = file:line, field = the column), or for another number of rows than expected; CSV as CsvReader does.
FrameTable read_frame_table(const FrameTableRules& rules);

}  // namespace amae
