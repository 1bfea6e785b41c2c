// Which tokens a masked autoencoder gets to see.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amae/draw.h"
#include "amae/encoder.h"
#include "amae/options.h"

namespace amae {

struct MaskOptions {
  std::string kind = "unstructured";  ///< unstructured | time | frequency | block
  double ratio = 0.8;                 ///< share of the tokens that is hidden
  void describe(Fields& f);
};

/// How many of `tokens` stay visible: tokens * (1 - ratio) rounded down, computed so that decimal ratios are exact
/// (250 tokens at 0.8 keep 50, where binary floating point would give 49), and at least 1 and at most tokens - 1.
[[nodiscard]] int64_t kept_count(int64_t tokens, double ratio);

/// Ascending numbers of the visible tokens, always kept_count(grid.size(), ratio) of them.
/// unstructured: a random subset. time, frequency: whole random steps or bands are hidden, the last one in part so that
/// the count is exact. block: random rectangles are hidden until the count is reached, the last one in part.
[[nodiscard]] std::vector<int64_t> draw_kept(const MaskOptions& options, const TokenGrid& grid, Draw& draw);

}  // namespace amae
