// Transform `mixup`: convex combinations of examples and of their labels.
// Source: Zhang, Cisse, Dauphin and Lopez-Paz 2018, "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct MixupOptions {
  double alpha = 0.2;
  double p = 1;

  void describe(Fields& f) {
    f.add("alpha", alpha, "both parameters of the Beta distribution of the share").range(0.01, 100);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
};

/// x = l x1 + (1-l) x2 and y likewise, l ~ Beta(alpha, alpha); example 2 is another item of the batch, drawn by item 1.
/// Any domain, shapes stay; without labels only x is mixed, and a batch of one stays as it is.
class Mixup final : public Transform {
 public:
  explicit Mixup(MixupOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  MixupOptions options_;
};

}  // namespace amae
