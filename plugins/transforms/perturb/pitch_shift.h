// Transform `pitch_shift`: a clip made higher or lower at its own duration.
#pragma once

#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct PitchShiftOptions {
  std::vector<double> semitones = {-2, 2};
  double window = 0.064;
  double p = 1;

  void describe(Fields& f) {
    f.add("semitones", semitones, "[lowest, highest] shift; above 0 is higher").unit("semitones").range(-12, 12);
    f.add("window", window, "of the phase vocoder, taken as the nearest power of two samples")
        .unit("s")
        .range(0.002, 1);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> shift_pitch(x, s), s ~ U(semitones). Throws InputError when the rate is unknown.
class PitchShift final : public Perturbation {
 public:
  explicit PitchShift(PitchShiftOptions options)
      : Perturbation("pitch_shift", options.p), options_(std::move(options)) {}

 protected:
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  PitchShiftOptions options_;
};

/// x [C, N] -> [C, N] with every frequency multiplied by r = 2^(semitones/12): stretched by 1/r at its own pitch (see
/// vocoder.h), then played r times as fast. r is taken as the nearest fraction with a denominator up to 500, which is
/// off by at most 2 cents (next to r = 1).
at::Tensor shift_pitch(const at::Tensor& x, double semitones, int64_t n_fft = 2048);

}  // namespace amae
