// Vectors and labels for the tests of this folder.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <numbers>
#include <vector>

namespace amae::index_test {

using Labels = std::vector<int64_t>;

constexpr double kSumError = 1e-12;   // a few additions and divisions in double
constexpr double kAngleError = 1e-6;  // of cosines of float32 vectors

/// Unit vectors in the plane: one at 0 degrees finds the others by their angle. [N, 2] float32.
inline at::Tensor directions(const std::vector<double>& degrees) {
  const at::Tensor angle = at::tensor(at::ArrayRef<double>(degrees), at::kDouble) * (std::numbers::pi / 180);
  return at::stack({angle.cos(), angle.sin()}, 1).to(at::kFloat);
}

/// -1 (none) to classes - 1.
inline Labels random_labels(int64_t count, int64_t classes) {
  const at::Tensor drawn = at::randint(-1, classes, {count}, at::kLong);
  return {drawn.const_data_ptr<int64_t>(), drawn.const_data_ptr<int64_t>() + count};
}

/// Rows of length 1 in double, for plain loops.
inline std::vector<std::vector<double>> plain_units(const at::Tensor& x) {
  const at::Tensor wide = x.to(at::kDouble), unit = (wide / wide.norm(2, {1}, true)).contiguous();
  std::vector<std::vector<double>> rows;
  for (int64_t i = 0; i < unit.size(0); ++i) {
    const double* p = unit.const_data_ptr<double>() + i * unit.size(1);
    rows.emplace_back(p, p + unit.size(1));
  }
  return rows;
}

inline double plain_cosine(const std::vector<double>& u, const std::vector<double>& v) {
  double sum = 0;
  for (size_t i = 0; i < u.size(); ++i) sum += u[i] * v[i];
  return sum;
}

}  // namespace amae::index_test
