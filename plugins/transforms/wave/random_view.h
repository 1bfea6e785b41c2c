// Transform `random_view`: one of several channels, drawn in training, the first in evaluation.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

/// Audio or spectrogram x [B, C, ...] -> [B, 1, ...]. The counterpart of `speed_views`.
class RandomView final : public Transform {
 public:
  explicit RandomView(NoOptions /*options*/ = {}) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;
  void apply_eval(Batch& batch, int64_t view, int64_t views) const override;
};

}  // namespace amae
