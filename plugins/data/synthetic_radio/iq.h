// Complex samples as frames store them: in-phase and quadrature apart.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "amae/draw.h"

namespace amae {

struct Iq {
  std::vector<float> i, q;

  Iq() = default;
  explicit Iq(size_t samples) : i(samples), q(samples) {}
  [[nodiscard]] size_t size() const { return i.size(); }
};

/// Mean of |x|^2; 0 for no samples.
inline double mean_power(const Iq& x) {
  double sum = 0;
  for (size_t n = 0; n < x.size(); ++n)
    sum += static_cast<double>(x.i[n]) * x.i[n] + static_cast<double>(x.q[n]) * x.q[n];
  return x.size() == 0 ? 0 : sum / static_cast<double>(x.size());
}

inline void scale(Iq& x, double factor) {
  const auto f = static_cast<float>(factor);
  for (auto& value : x.i) value *= f;
  for (auto& value : x.q) value *= f;
}

/// x[n] times c + js.
inline void rotate(Iq& x, size_t n, float c, float s) {
  const float i = x.i[n] * c - x.q[n] * s;
  x.q[n] = x.i[n] * s + x.q[n] * c;
  x.i[n] = i;
}

/// x behind a filter, as far as that has all its input: taps.size() - 1 samples less.
inline Iq filtered(const Iq& x, const Iq& taps) {
  const size_t before = taps.size() - 1;
  Iq out(x.size() - before);
  for (size_t t = 0; t < taps.size(); ++t) {
    const float re = taps.i[t], im = taps.q[t];
    const float* const in_i = x.i.data() + before - t;
    const float* const in_q = x.q.data() + before - t;
    for (size_t n = 0; n < out.size(); ++n) {
      out.i[n] += re * in_i[n] - im * in_q[n];
      out.q[n] += re * in_q[n] + im * in_i[n];
    }
  }
  return out;
}

/// Fills x with complex white Gaussian noise of mean power `power`, half of it in each part. Box-Muller on 32 bits: a
/// pair costs two words of `draw` where two calls of normal() cost eight; no sample lies beyond 4.8 sqrt(power).
inline void fill_gaussian(Draw& draw, double power, Iq& x) {
  constexpr auto kTurn = static_cast<float>(2 * std::numbers::pi * 0x1p-32);
  const auto gain = static_cast<float>(-power);
  for (size_t n = 0; n < x.size(); ++n) {
    const float uniform = (static_cast<float>(draw.bits()) + 0.5F) * 0x1p-32F;  // (0, 1]
    const float radius = std::sqrt(gain * std::log(uniform));
    const float angle = static_cast<float>(draw.bits()) * kTurn;
    x.i[n] = radius * std::cos(angle);
    x.q[n] = radius * std::sin(angle);
  }
}

}  // namespace amae
