// Transform `gain`: a random change of level.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct GainOptions {
  double max_db = 6;
  double p = 1;

  void describe(Fields& f) {
    f.add("max_db", max_db, "largest change, up or down").unit("dB").range(0, 60);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
};

/// Multiplies each item by g decibels, g ~ U(-max_db, max_db). Audio and IQ by 10^(g/20); a spectrogram is taken for
/// power and multiplied by 10^(g/10), so it must come before the logarithm. Shapes stay.
class Gain final : public Transform {
 public:
  explicit Gain(GainOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  GainOptions options_;
};

}  // namespace amae
