// Transform `random_filter`: one random low-pass, high-pass, band-pass or peaking filter, like another microphone, room
// or distance.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct RandomFilterOptions {
  std::vector<std::string> kinds = {"low_pass", "high_pass", "band_pass", "peaking"};
  std::vector<double> low_pass = {1500, 8000};
  std::vector<double> high_pass = {50, 800};
  std::vector<double> band_pass = {200, 4000};
  std::vector<double> peaking = {60, 8000};
  std::vector<double> q = {0.5, 1.4};
  std::vector<double> gain_db = {-12, 12};
  double p = 1;

  void describe(Fields& f) {
    f.add("kinds", kinds, "one is drawn for each example").choices({"low_pass", "high_pass", "band_pass", "peaking"});
    f.add("low_pass", low_pass, "[lowest, highest] corner").unit("Hz").range(1, 1e6);
    f.add("high_pass", high_pass, "[lowest, highest] corner").unit("Hz").range(1, 1e6);
    f.add("band_pass", band_pass, "[lowest, highest] centre").unit("Hz").range(1, 1e6);
    f.add("peaking", peaking, "[lowest, highest] centre").unit("Hz").range(1, 1e6);
    f.add("q", q, "[lowest, highest] quality: centre over width of a band, resonance of a corner").range(0.05, 50);
    f.add("gain_db", gain_db, "[lowest, highest] gain of a peaking filter at its centre").unit("dB").range(-60, 60);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> through one biquad (see biquad.h), same shape: 12 dB/octave beyond a corner, 6 dB/octave on
/// both sides of a band. Frequency and q are uniform on a logarithmic scale; a frequency above 0.49 of the rate is
/// lowered to it. Throws InputError when the rate is unknown, or an interval in use lies at half the rate or above.
class RandomFilter final : public Perturbation {
 public:
  explicit RandomFilter(RandomFilterOptions options)
      : Perturbation("random_filter", options.p), options_(std::move(options)) {}

 protected:
  void check_rate(double rate_hz) const override;
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  RandomFilterOptions options_;
};

}  // namespace amae
