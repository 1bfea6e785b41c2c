#include "positions.h"

#include <torch/utils.h>

#include <cmath>

namespace amae::audiomae {

torch::Tensor sincos_1d(const torch::Tensor& coordinates, int64_t dim) {
  TORCH_CHECK(dim % 2 == 0, "sines and cosines need an even width");
  const auto exponent = torch::arange(dim / 2, torch::kFloat64) / (static_cast<double>(dim) / 2.0);
  const auto angles = torch::outer(coordinates.to(torch::kFloat64), torch::exp(exponent * -std::log(10000.0)));
  return torch::cat({angles.sin(), angles.cos()}, 1);
}

Coordinates coordinates_of(const TokenGrid& grid) {
  return {torch::arange(grid.steps, torch::kFloat64).repeat_interleave(grid.bands),
          torch::arange(grid.bands, torch::kFloat64).repeat({grid.steps})};
}

torch::Tensor sincos_2d(const TokenGrid& grid, int64_t dim) {
  TORCH_CHECK(dim % 4 == 0, "sines and cosines of two axes need a multiple of 4");
  const Coordinates at = coordinates_of(grid);
  return torch::cat({sincos_1d(at.band, dim / 2), sincos_1d(at.step, dim / 2)}, 1);
}

}  // namespace amae::audiomae
