// Transform `low_pass`: the narrow band of a telephone, a cheap microphone or a codec, with or without its coarse
// steps.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct LowPassOptions {
  std::vector<double> cutoff = {2000, 8000};
  std::string method = "fir";
  double mu_law = 0;
  double p = 1;

  void describe(Fields& f) {
    f.add("cutoff", cutoff, "[lowest, highest] frequency above which nothing is left").unit("Hz").range(100, 1e6);
    f.add("method", method,
          "fir filters at the rate that arrives; resample keeps 2 * cutoff samples per second and brings them back")
        .choices({"fir", "resample"});
    f.add("mu_law", mu_law, "share of the changed examples whose samples are rounded to 8 bits of a mu-law scale")
        .unit("fraction")
        .range(0, 1);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> same shape, without delay; the cut-off f_c is uniform on a logarithmic scale.
///   fir       low_pass_taps(): within 0.1 dB below 0.9 f_c, below -60 dB above f_c
///   resample  to about 2 f_c samples per second and back by SincResampler: -3 dB near 0.9 f_c, below -75 dB above f_c;
///             the rate is taken as the nearest fraction with a denominator up to 200
/// A cut-off at half the rate or above changes nothing but the mu-law, which rounds at the rate kept. Throws InputError
/// when the rate is unknown, or the whole interval lies at half the rate or above.
class LowPass final : public Perturbation {
 public:
  explicit LowPass(LowPassOptions options) : Perturbation("low_pass", options.p), options_(std::move(options)) {}

 protected:
  void check_rate(double rate_hz) const override;
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  LowPassOptions options_;
};

/// Symmetric, odd number of taps, sum 1: a sinc under a Kaiser window. cutoff in cycles per sample, in (0, 0.5); the
/// transition lies in 0.9..1 of it. Source of the window's length and shape: Kaiser 1974, for 65 dB.
std::vector<float> low_pass_taps(double cutoff);

/// Each sample to the nearest of 255 levels: y = sign(x) ln(1 + 255 |x|) / ln(256), rounded to 1/127, and back; |x| > 1
/// is clipped. Source of the curve: ITU-T G.711 (its continuous form); unlike in some libraries 0 stays 0.
at::Tensor mu_law_rounded(const at::Tensor& x);

}  // namespace amae
