// Transform `polarity`: a change of sign, which nobody hears and a model must not mind.
#pragma once

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct PolarityOptions {
  double p = 0.5;

  void describe(Fields& f) { f.add("p", p, "probability for each example").unit("fraction").range(0, 1); }
};

/// Audio x [B, C, N] -> -x, all channels of an item together.
class Polarity final : public Perturbation {
 public:
  explicit Polarity(PolarityOptions options) : Perturbation("polarity", options.p) {}

 protected:
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double /*rate_hz*/, Draw& /*draw*/) const override {
    return x.neg();
  }
};

}  // namespace amae
