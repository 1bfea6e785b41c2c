// Normal random numbers in bulk.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "amae/draw.h"

namespace amae {

/// Adds scale * N(0, 1) to each of x[0..n). Box-Muller in float with both outputs used: Draw::normal() in double costs
/// four times as much, and a clip has hundreds of thousands of samples.
inline void add_normal(float* x, int64_t n, float scale, Draw& draw) {
  for (int64_t i = 0; i < n; i += 2) {
    const float first = static_cast<float>((draw.bits() >> 8) + 1) * 0x1p-24F;  // (0, 1]
    const float second = static_cast<float>(draw.bits() >> 8) * 0x1p-24F;
    const float radius = scale * std::sqrt(-2.0F * std::log(first));
    const float angle = 2.0F * std::numbers::pi_v<float> * second;
    x[i] += radius * std::cos(angle);
    if (i + 1 < n) x[i + 1] += radius * std::sin(angle);
  }
}

}  // namespace amae
