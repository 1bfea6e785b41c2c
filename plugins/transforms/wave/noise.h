// Transform `noise`: white Gaussian noise at a random signal-to-noise ratio.
#pragma once

#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct NoiseOptions {
  std::vector<double> snr_db = {10, 40};
  double p = 1;

  void describe(Fields& f) {
    f.add("snr_db", snr_db, "[lowest, highest] ratio of the item's mean power to the noise's")
        .unit("dB")
        .range(-60, 120);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// x + n with n ~ N(0, mean(x^2) / 10^(s/10)), s ~ U(snr_db): for audio and IQ [B, C, N], the mean over all of an item.
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
