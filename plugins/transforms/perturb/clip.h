// Transform `clip`: an overdriven microphone or amplifier.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct ClipOptions {
  std::vector<std::string> kinds = {"hard", "soft"};
  std::vector<double> share = {0.001, 0.05};
  double p = 1;

  void describe(Fields& f) {
    f.add("kinds", kinds, "one is drawn for each example: hard cuts at the level, soft bends towards it")
        .choices({"hard", "soft"});
    f.add("share", share,
          "[lowest, highest] share of the samples that exceed the level; digital silence does not count")
        .unit("fraction")
        .range(0, 0.5);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> hard: min(max(x, -t), t); soft: t tanh(x / t). t is the level that floor(s M) of the item's M
/// samples other than 0 exceed, s ~ U(share), over all channels: the item's own level does not matter, and padding with
/// zeros neither.
class Clip final : public Perturbation {
 public:
  explicit Clip(ClipOptions options) : Perturbation("clip", options.p), options_(std::move(options)) {}

 protected:
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  ClipOptions options_;
};

}  // namespace amae
