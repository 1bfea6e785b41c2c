// Fixed positions: sines and cosines of a coordinate, at D/2 rates from 1 down to nearly 1/10000 radian a token.
#pragma once

#include <torch/types.h>

#include "amae/encoder.h"

namespace amae::audiomae {

/// Coordinates [N] -> [N, dim] float64: the sines, then the cosines, of coordinate * 10000^(-i / (dim/2)). dim even.
/// Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5, ordered as in the MAE code.
[[nodiscard]] torch::Tensor sincos_1d(const torch::Tensor& coordinates, int64_t dim);

/// [L, dim] float64: for each token the code of its band in the first half, of its step in the second, as the MAE code
/// has it for pictures of time by frequency. dim a multiple of 4.
[[nodiscard]] torch::Tensor sincos_2d(const TokenGrid& grid, int64_t dim);

/// Step and band of each token, [L] float64 both.
struct Coordinates {
  torch::Tensor step, band;
};
[[nodiscard]] Coordinates coordinates_of(const TokenGrid& grid);

}  // namespace amae::audiomae
