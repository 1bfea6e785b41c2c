// Transform `roll`: a circular shift in time.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct RollOptions {
  double max_fraction = 1;

  void describe(Fields& f) {
    f.add("max_fraction", max_fraction, "shifts are drawn from 0 to below this share of the clip; 1: any rotation")
        .unit("fraction")
        .range(0, 1);
  }
};

/// Rolls the last axis of each item later by s, so that y[(n + s) mod N] = x[n] (as torch.roll). In training s is drawn
/// uniformly from whole numbers 0 <= s < max_fraction * N; evaluation view v of V uses s = floor(max_fraction * N * v /
/// V). Any domain, shapes stay.
class Roll final : public Transform {
 public:
  explicit Roll(RollOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;
  void apply_eval(Batch& batch, int64_t view, int64_t views) const override;

 private:
  RollOptions options_;
};

}  // namespace amae
