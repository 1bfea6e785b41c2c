// Transform `speed_views`: one clip played at several speeds, as channels.
//
// Deterministic, so the views are made once and cached; `random_view` then picks one for each example and epoch. That
// buys speed augmentation without a resampler or an FFT in the training loop.
#pragma once

#include <vector>

#include "../common/sinc_resampler.h"
#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct SpeedViewsOptions {
  std::vector<double> factors = {1, 0.8, 0.89, 1.12, 1.25};

  void describe(Fields& f) {
    f.add("factors", factors,
          "speeds of the views; above 1 is faster and higher; the first must be 1, it is what evaluation sees")
        .range(0.25, 4);
  }
  void check() const;
};

/// Audio x [B, 1, N] -> [B, V, N]: row v is the clip at speed factors[v], repeated when too short and cut when too
/// long. A factor is taken as the nearest fraction with a denominator up to 1000.
class SpeedViews final : public Transform {
 public:
  explicit SpeedViews(SpeedViewsOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  SpeedViewsOptions options_;
  std::vector<SincResampler> resamplers_;  // [V]
};

}  // namespace amae
