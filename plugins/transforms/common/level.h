// How loud a piece of sound is.
#pragma once

#include <algorithm>
#include <cstdint>

namespace amae {

/// Mean of x[0..n)^2 in float64; 0 for nothing.
inline double mean_square(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum / static_cast<double>(std::max<int64_t>(1, n));
}

}  // namespace amae
