// Transform `phase_rotation`: the carrier's phase, which a receiver does not know and a model must not mind.
#pragma once

#include <string>
#include <utility>

#include "amae/options.h"
#include "frame_augmentation.h"

namespace amae {

struct PhaseRotationOptions {
  std::string angles = "any";
  double p = 1;

  void describe(Fields& f) {
    f.add("angles", angles, "any angle, or quarters: 0, 90, 180 or 270 degrees").choices({"any", "quarters"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
};

/// IQ x [B, 2, N] -> x e^(i a): a ~ U[0, 2 pi), or one of 0, pi/2, pi and 3 pi/2 with equal chance. |x| stays.
/// Evaluation view v of V turns by 2 pi v / V, or v quarter turns.
class PhaseRotation final : public FrameAugmentation {
 public:
  explicit PhaseRotation(PhaseRotationOptions options)
      : FrameAugmentation("phase_rotation", options.p), options_(std::move(options)) {}
  void apply_eval(Batch& batch, int64_t view, int64_t views) const override;

 protected:
  void change(const IqFrame& frame, Draw& draw) const override;

 private:
  [[nodiscard]] bool quarters() const { return options_.angles == "quarters"; }
  PhaseRotationOptions options_;
};

}  // namespace amae
