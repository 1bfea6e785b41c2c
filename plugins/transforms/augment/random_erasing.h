// Transform `random_erasing`: blanks random rectangles of a spectrogram.
// Source: Zhong et al. 2020, "Random Erasing Data Augmentation", arXiv:1708.04896, algorithm 1.
#pragma once

#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct RandomErasingOptions {
  int64_t count = 1;
  std::vector<double> area = {0.02, 0.2};
  std::vector<double> aspect = {0.3, 3.3};
  std::string fill = "mean";
  double p = 1;

  void describe(Fields& f) {
    f.add("count", count, "number of rectangles").range(1, 64);
    f.add("area", area, "[smallest, largest] share of the picture that a rectangle covers")
        .unit("fraction")
        .range(0, 1);
    f.add("aspect", aspect, "[smallest, largest] share of the bins over share of the frames that it spans")
        .range(0.01, 100);
    f.add("fill", fill, "mean of the item's channel, zero, or noise: its values from random places")
        .choices({"mean", "zero", "noise"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Spectrogram [B, C, F, T], shape stays; all channels of an item lose the same rectangles.
///
/// With a ~ U(area) and log r ~ U(log aspect) a rectangle spans h = sqrt(a r) of the bins and a / h of the frames; h is
/// kept within a..1, so that the area is met at any aspect, and whole bins and frames are rounded to, one at least.
/// Its place is uniform among those where it fits. The source leaves out what does not fit and measures the aspect in
/// pixels. `mean` and `noise` are taken before anything is erased; noise keeps to values that occur, so that a power
/// stays positive.
class RandomErasing final : public Transform {
 public:
  explicit RandomErasing(RandomErasingOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  RandomErasingOptions options_;
};

}  // namespace amae
