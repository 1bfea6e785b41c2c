// Transform `pcen`: per-channel energy normalisation, a level that adapts to the loudness of each frequency bin.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct PcenOptions {
  double time_constant = 0.4;
  double gain = 0.98;
  double bias = 2;
  double power = 0.5;
  double eps = 1e-6;

  void describe(Fields& f) {
    f.add("time_constant", time_constant, "of the smoothing over frames").unit("s").range(1e-6, 1e6);
    f.add("gain", gain, "exponent of the smoothed energy that is divided by").range(0, 10);
    f.add("bias", bias, "added before the compression").range(0, 1e12);
    f.add("power", power, "exponent of the compression; 0: logarithm").range(0, 1);
    f.add("eps", eps, "added to the smoothed energy").range(1e-30, 1e6);
  }
};

/// Spectrogram S [B, C, F, T] of values that are not negative, at a known frame rate r -> same shape, each bin by
/// itself:
///
///   M[t] = (1 - b) M[t-1] + b S[t], M[-1] = 1,   b = (sqrt(1 + 4 n^2) - 1) / (2 n^2), n = time_constant r
///   P[t] = (S[t] / (eps + M[t])^gain + bias)^power - bias^power;   for power 0: ln(1 + S[t] / (eps + M[t])^gain)
///
/// Source: Wang et al. 2017, "Trainable frontend for robust and far-field keyword spotting", ICASSP; b, the start from
/// M = 1 (not from the first frame) and the defaults as librosa.pcen. The defaults are meant for magnitudes of samples
/// of the range of int32: {mel_spectrogram, power: 1, full_scale: 2147483648}, {pcen}.
class Pcen final : public Transform {
 public:
  explicit Pcen(PcenOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  PcenOptions options_;
};

}  // namespace amae
