#include "rope.h"

#include <torch/utils.h>

#include <cmath>
#include <vector>

namespace amae::audiomae {

Rotation rotation_at(const torch::Tensor& time, const torch::Tensor& frequency, int64_t d, double base) {
  TORCH_CHECK(d % 4 == 0, "axial rotary positions need a head width that 4 divides");
  const int64_t pairs = d / 4;
  const auto rates = torch::exp(torch::arange(pairs, torch::kFloat64) * (-std::log(base) / static_cast<double>(pairs)));
  const auto t = time.to(torch::kFloat64).unsqueeze(-1) * rates;
  const auto f = frequency.to(torch::kFloat64).unsqueeze(-1) * rates;
  const auto sin_t = t.sin(), sin_f = f.sin(), cos_t = t.cos(), cos_f = f.cos();
  return {torch::cat({cos_t, cos_t, cos_f, cos_f}, -1), torch::cat({-sin_t, sin_t, -sin_f, sin_f}, -1)};
}

torch::Tensor rotate(const torch::Tensor& x, const Rotation& rotation) {
  // (a, b) -> (a cos - b sin, b cos + a sin): the partner of each component, times the signed sine, comes on top
  const auto partner = x.unflatten(-1, {2, 2, -1}).flip(-2).flatten(-3);
  std::vector<int64_t> shape = rotation.cos.sizes().vec();
  if (shape.size() == 2) shape.insert(shape.begin(), 1);
  while (static_cast<int64_t>(shape.size()) < x.dim()) shape.insert(shape.end() - 1, 1);
  // back to x's type: under autocast the tables are wider, and better computed with as they are
  return torch::addcmul(x * rotation.cos.view(shape), partner, rotation.sin.view(shape)).to(x.scalar_type());
}

}  // namespace amae::audiomae
