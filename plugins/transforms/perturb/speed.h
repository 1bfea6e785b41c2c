// Transform `speed`: a clip played faster or slower, so that pitch and duration change together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct SpeedOptions {
  std::vector<double> factor = {0.9, 1.1};
  std::string pad = "tile";
  double p = 1;

  void describe(Fields& f) {
    f.add("factor", factor, "[lowest, highest] speed; above 1 is faster and higher").range(0.25, 4);
    f.add("pad", pad, "what follows a clip that has become shorter: zero or tile (the clip again)")
        .choices({"zero", "tile"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> y[n] = x(n s) for n < N, s ~ U(factor), band-limited (see SincResampler); cut when slower.
/// s is taken as the nearest fraction with a denominator up to 100: within 0.5 %, and exactly for whole percents.
class Speed final : public Perturbation {
 public:
  explicit Speed(SpeedOptions options) : Perturbation("speed", options.p), options_(std::move(options)) {}

 protected:
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  SpeedOptions options_;
};

/// x [C, N] at p/q of its speed, without fitting: [C, min(limit, ceil(N q / p))].
at::Tensor played_at(const at::Tensor& x, int64_t p, int64_t q, int64_t limit);

}  // namespace amae
