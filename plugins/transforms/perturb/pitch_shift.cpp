#include "pitch_shift.h"

#include <cmath>

#include "../common/checks.h"
#include "../common/sinc_resampler.h"
#include "speed.h"
#include "vocoder.h"

namespace amae {

void PitchShiftOptions::check() const { require_interval("semitones", semitones); }

at::Tensor shift_pitch(const at::Tensor& x, double semitones, int64_t n_fft) {
  const auto [p, q] = nearest_fraction(std::exp2(semitones / 12), 500);
  const int64_t n = x.size(1), longer = (n * p + q - 1) / q;  // ceil, so that N samples are left after playing
  const at::Tensor slow = stretch_to(x, static_cast<double>(q) / static_cast<double>(p), longer, n_fft);
  return played_at(slow, p, q, n);
}

at::Tensor PitchShift::perturb(const at::Tensor& x, double rate_hz, Draw& draw) const {
  const double semitones = draw.uniform(options_.semitones[0], options_.semitones[1]);
  return shift_pitch(x, semitones, vocoder_size(options_.window, known(rate_hz)));
}

}  // namespace amae
