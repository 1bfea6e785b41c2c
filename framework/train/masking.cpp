#include "train/masking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace amae {
namespace {

/// A ratio in millionths of a millionth: enough for every decimal that one writes, and tokens * kWhole stays below 2^63
/// up to nine million tokens.
constexpr int64_t kWhole = 1'000'000'000'000, kMostTokens = 9'000'000;

/// Tokens in the order in which whole steps are hidden, and within a step its bands.
std::vector<int64_t> step_order(const TokenGrid& grid, Draw& draw) {
  std::vector<int64_t> order;
  for (const int64_t step : draw.permutation(grid.steps)) {
    for (const int64_t band : draw.permutation(grid.bands)) order.push_back(step * grid.bands + band);
  }
  return order;
}

std::vector<int64_t> band_order(const TokenGrid& grid, Draw& draw) {
  std::vector<int64_t> order;
  for (const int64_t band : draw.permutation(grid.bands)) {
    for (const int64_t step : draw.permutation(grid.steps)) order.push_back(step * grid.bands + band);
  }
  return order;
}

/// The first `hidden` tokens that random rectangles cover. Each rectangle is centred on a token that is still visible,
/// so that it hides at least one, is 1 to half of the grid (at least 1) a side, and ends at the grid's edges.
std::vector<int64_t> block_order(const TokenGrid& grid, int64_t hidden, Draw& draw) {
  std::vector<int64_t> order;
  std::vector<bool> covered(static_cast<size_t>(grid.size()), false);
  while (static_cast<int64_t>(order.size()) < hidden) {
    int64_t left = draw.integer(0, grid.size() - static_cast<int64_t>(order.size())), centre = 0;
    while (covered[static_cast<size_t>(centre)] || left-- > 0) ++centre;
    const int64_t wide = draw.integer(1, std::max<int64_t>(1, grid.steps / 2) + 1);
    const int64_t high = draw.integer(1, std::max<int64_t>(1, grid.bands / 2) + 1);
    const int64_t first_step = centre / grid.bands - wide / 2, first_band = centre % grid.bands - high / 2;
    for (int64_t step = std::max<int64_t>(0, first_step); step < std::min(grid.steps, first_step + wide); ++step) {
      for (int64_t band = std::max<int64_t>(0, first_band); band < std::min(grid.bands, first_band + high); ++band) {
        const int64_t token = step * grid.bands + band;
        if (!covered[static_cast<size_t>(token)]) order.push_back(token);
        covered[static_cast<size_t>(token)] = true;
      }
    }
  }
  return order;
}

}  // namespace

void MaskOptions::describe(Fields& f) {
  f.add("kind", kind,
        "what is hidden: unstructured (single tokens), time (whole steps), frequency (whole bands) or block "
        "(rectangles)")
      .choices({"unstructured", "time", "frequency", "block"});
  f.add("ratio", ratio, "share of the tokens that is hidden").unit("fraction").range(0.01, 0.99);
}

int64_t kept_count(int64_t tokens, double ratio) {
  if (tokens < 2 || tokens > kMostTokens)
    throw std::invalid_argument(fmt::format("kept_count: got {} tokens, expected 2 to {}", tokens, kMostTokens));
  const int64_t visible = kWhole - std::llround(ratio * static_cast<double>(kWhole));
  return std::clamp<int64_t>(tokens * visible / kWhole, 1, tokens - 1);
}

std::vector<int64_t> draw_kept(const MaskOptions& options, const TokenGrid& grid, Draw& draw) {
  const int64_t kept = kept_count(grid.size(), options.ratio), hidden = grid.size() - kept;
  const std::vector<int64_t> order = options.kind == "time"        ? step_order(grid, draw)
                                     : options.kind == "frequency" ? band_order(grid, draw)
                                     : options.kind == "block"     ? block_order(grid, hidden, draw)
                                                                   : draw.permutation(grid.size());
  std::vector<bool> visible(static_cast<size_t>(grid.size()), true);
  for (int64_t i = 0; i < hidden; ++i) visible[static_cast<size_t>(order[static_cast<size_t>(i)])] = false;
  std::vector<int64_t> result;
  for (int64_t token = 0; token < grid.size(); ++token) {
    if (visible[static_cast<size_t>(token)]) result.push_back(token);
  }
  return result;
}

}  // namespace amae
