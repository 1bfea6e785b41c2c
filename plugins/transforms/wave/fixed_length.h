// Transform `fixed_length`: every clip gets the same duration.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct FixedLengthOptions {
  double duration = 5;
  std::string pad = "zero";
  std::string align = "start";

  void describe(Fields& f) {
    f.add("duration", duration, "length to give").unit("s").range(1e-6, 86400);
    f.add("pad", pad, "what fills short clips: zero, tile (repeat) or reflect (mirror without the edge)")
        .choices({"zero", "tile", "reflect"});
    f.add("align", align, "which part of the clip stays in place: its start or its center")
        .choices({"start", "center"});
  }
};

/// Audio or IQ x [B, C, N] -> [B, C, round(duration * rate)].
/// Throws InputError when the rate is unknown, or a clip to be tiled or mirrored is empty.
class FixedLength final : public Transform {
 public:
  explicit FixedLength(FixedLengthOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  FixedLengthOptions options_;
};

}  // namespace amae
