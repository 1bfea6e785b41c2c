// Transform `standardize`: mean 0 and deviation 1 by statistics of the training split.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct StandardizeOptions {
  std::string per = "bin";
  double eps = 1e-5;

  void describe(Fields& f) {
    f.add("per", per, "bin: each frequency bin of a spectrogram by itself; all: one mean and deviation")
        .choices({"bin", "all"});
    f.add("eps", eps, "smaller deviations are raised to it").range(1e-12, 1);
  }
};

/// (x - mean) / max(std, eps), same shape. fit() takes mean and std (of the population, accumulated in float64) over
/// all items, channels and frames of the training split: one for each of the F bins of x [B, C, F, T], or one for all
/// of x of any domain. Before fit() or load_state(), apply() throws InputError "not fitted". State: "mean" and "std",
/// float32 [F] (bin) or [1] (all).
class Standardize final : public Transform {
 public:
  explicit Standardize(StandardizeOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;
  [[nodiscard]] bool needs_fit() const override { return true; }
  void fit(const std::function<bool(Batch&)>& next) override;
  [[nodiscard]] TensorDict state() const override;
  void load_state(const TensorDict& state) override;

 private:
  [[nodiscard]] bool per_bin() const { return options_.per == "bin"; }
  StandardizeOptions options_;
  at::Tensor mean_, std_;  // undefined until fitted
};

}  // namespace amae
