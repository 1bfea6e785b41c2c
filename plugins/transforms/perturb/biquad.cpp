#include "biquad.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amae {

void Biquad::run(const float* x, float* y, int64_t n) const {
  constexpr int64_t kBlock = 256;
  constexpr double kSilent = 1e-30;
  double s1 = 0, s2 = 0;  // transposed direct form II
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = std::min(n, begin + kBlock);
    for (int64_t i = begin; i < end; ++i) {
      const auto in = static_cast<double>(x[i]);
      const double out = b0 * in + s1;
      s1 = b1 * in - a1 * out + s2;
      s2 = b2 * in - a2 * out;
      y[i] = static_cast<float>(out);
    }
    // What rings on through digital silence would end in denormal numbers, which cost a hundred times as much.
    if (std::abs(s1) < kSilent && std::abs(s2) < kSilent) s1 = s2 = 0;
  }
}

Biquad make_biquad(FilterKind kind, double frequency, double q, double gain_db) {
  const double w0 = 2 * std::numbers::pi * frequency, c = std::cos(w0), alpha = std::sin(w0) / (2 * q);
  const auto scaled = [](double b0, double b1, double b2, double a0, double a1, double a2) {
    return Biquad{b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
  };
  switch (kind) {
    case FilterKind::low_pass:
      return scaled((1 - c) / 2, 1 - c, (1 - c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    case FilterKind::high_pass:
      return scaled((1 + c) / 2, -(1 + c), (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    case FilterKind::band_pass:
      return scaled(alpha, 0, -alpha, 1 + alpha, -2 * c, 1 - alpha);
    case FilterKind::peaking: {
      const double a = std::pow(10.0, gain_db / 40);
      return scaled(1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a);
    }
  }
  return {};
}

}  // namespace amae
