// A sound with nothing in it but tones, whose analytic signal and integral are exact at any sample rate.
#pragma once

#include <array>

#include "amae/draw.h"
#include "iq.h"

namespace amae {

/// Sixteen tones between 100 Hz and highest_hz, drawn evenly over the octaves; RMS value 1/3, so that the sound rarely
/// goes beyond 1.
class Tones {
 public:
  Tones(Draw& draw, double highest_hz);

  /// The sound that has this one as its derivative.
  [[nodiscard]] Tones integral() const;

  /// out[n] = sum of amplitude exp(j (2 pi hz t + phase)) at t = n step_s: the analytic signal; its real part is the
  /// sound.
  void sum(double step_s, Iq& out) const;

 private:
  static constexpr size_t kTones = 16;
  std::array<double, kTones> hz_, phase_, amplitude_;
};

}  // namespace amae
