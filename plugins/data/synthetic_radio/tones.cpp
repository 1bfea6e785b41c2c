#include "tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "waveform.h"

namespace amae {
namespace {

constexpr double kFullTurn = 2 * std::numbers::pi;

/// Four sums side by side, which the compiler turns into one vector. count is a multiple of 4.
float sum_of(const float* x, size_t count) {
  float sums[4] = {};
  for (size_t k = 0; k < count; k += 4) {
    for (size_t lane = 0; lane < 4; ++lane) sums[lane] += x[k + lane];
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

Tones::Tones(Draw& draw, double highest_hz) {
  double power = 0;
  for (size_t k = 0; k < kTones; ++k) {
    hz_[k] = std::exp(draw.uniform(std::log(100.0), std::log(highest_hz)));
    phase_[k] = draw.uniform(0, kFullTurn);
    amplitude_[k] = draw.uniform(0.2, 1);
    power += amplitude_[k] * amplitude_[k] / 2;
  }
  for (auto& amplitude : amplitude_) amplitude /= 3 * std::sqrt(power);
}

Tones Tones::integral() const {
  Tones out = *this;
  for (size_t k = 0; k < kTones; ++k) {
    out.amplitude_[k] /= kFullTurn * hz_[k];
    out.phase_[k] -= kFullTurn / 4;
  }
  return out;
}

void Tones::sum(double step_s, Iq& out) const {
  constexpr size_t kBlock = 256;  // the phasors turn by products, whose roundings would add up
  float re[kTones], im[kTones], turn_re[kTones], turn_im[kTones];
  for (size_t begin = 0; begin < out.size(); begin += kBlock) {
    for (size_t k = 0; k < kTones; ++k) {
      const double turn = kFullTurn * hz_[k] * step_s;
      unit_phasor(phase_[k] + turn * static_cast<double>(begin), re[k], im[k]);
      re[k] *= static_cast<float>(amplitude_[k]);
      im[k] *= static_cast<float>(amplitude_[k]);
      unit_phasor(turn, turn_re[k], turn_im[k]);
    }
    for (size_t n = begin; n < std::min(out.size(), begin + kBlock); ++n) {
      out.i[n] = sum_of(re, kTones);
      out.q[n] = sum_of(im, kTones);
      for (size_t k = 0; k < kTones; ++k) {
        const float turned = re[k] * turn_re[k] - im[k] * turn_im[k];
        im[k] = re[k] * turn_im[k] + im[k] * turn_re[k];
        re[k] = turned;
      }
    }
  }
}

}  // namespace amae
