// Rotary positions for two axes: pairs of a query's or key's components are turned by an angle that grows with a
// coordinate, so that a score depends on differences of coordinates only.
// Dimension letters: N tokens, d width of a head. The first d/2 components turn with time, the others with frequency.
#pragma once

#include <torch/types.h>

namespace amae::audiomae {

/// Angles of each token, ready to multiply with.
struct Rotation {
  torch::Tensor cos, sin;  ///< [N, d], or [B, N, d] where items have tokens of their own; sin carries the pair's sign
  [[nodiscard]] bool defined() const { return cos.defined(); }
};

/// Rotation at the coordinates time, frequency [...] -> cos, sin [..., d] float64. Within the half of an axis,
/// component i and component i + d/4 are a pair that turns by coordinate * base^(-i / (d/4)) radians. d a multiple
/// of 4. Source: Su et al. 2021, arXiv:2104.09864; axial: Heo et al. 2024, arXiv:2403.13298, section 3.2.
[[nodiscard]] Rotation rotation_at(const torch::Tensor& time, const torch::Tensor& frequency, int64_t d, double base);

/// x [B, N, ..., d] turned; same shape and type.
[[nodiscard]] torch::Tensor rotate(const torch::Tensor& x, const Rotation& rotation);

}  // namespace amae::audiomae
