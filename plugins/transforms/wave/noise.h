// Transform `noise`: white or coloured Gaussian noise at a random signal-to-noise ratio.
#pragma once

#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct NoiseOptions {
  std::vector<double> snr_db = {10, 40};
  std::string color = "white";
  double p = 1;

  void describe(Fields& f) {
    f.add("snr_db", snr_db, "[lowest, highest] ratio of the item's mean power to the noise's")
        .unit("dB")
        .range(-60, 120);
    f.add("color", color, "its power for each octave up: white 0, pink -3, brown -6, blue +3, violet +6 dB")
        .choices({"white", "pink", "brown", "blue", "violet"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// x + n for audio and IQ [B, C, N], with the powers taken over all rows of an item and s ~ U(snr_db):
///   white      n ~ N(0, mean(x^2) / 10^(s/10))
///   the others mean(n^2) = mean(x^2) / 10^(s/10), and the density of n goes with f^-1 (pink), f^-2 (brown), f (blue)
///   or
///              f^2 (violet) at frequency f above 20 Hz. Below it is that of 20 Hz, so that pink and brown noise do not
///              spend their power where nobody hears it; there is no power at 0 Hz. Rows are independent.
/// Silent items stay silent.
class Noise final : public Transform {
 public:
  explicit Noise(NoiseOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  NoiseOptions options_;
};

}  // namespace amae
