// Transform `constellation`: how often the samples of a frame lie in each cell of the complex plane.
#pragma once

#include <string>
#include <utility>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct ConstellationOptions {
  int64_t bins = 32;
  double range = 2;
  std::string scale = "share";

  void describe(Fields& f) {
    f.add("bins", bins, "cells along I and along Q").unit("cells").range(2, 1024);
    f.add("range", range, "I and Q from -range to below range are shown; scale the frames with iq_scale before")
        .range(1e-6, 1e6);
    f.add("scale", scale, "share of the frame's samples in a cell, or log: ln(1 + their number)")
        .choices({"share", "log"});
  }
};

/// IQ x [B, 2, N] -> [B, 1, bins, bins]: row f holds Q from -range + f w to below -range + (f + 1) w, w = 2 range /
/// bins, column t the same of I; both grow with their number. Samples outside are left out.
/// Of the samples as they come: for the points of a constellation alone, take one sample a symbol before.
class ConstellationImage final : public Transform {
 public:
  explicit ConstellationImage(ConstellationOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  ConstellationOptions options_;
};

}  // namespace amae
