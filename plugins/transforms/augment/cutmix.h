// Transform `cutmix`: a patch of one spectrogram is replaced by that of another, and the labels are mixed by its area.
// Source: Yun et al. 2019, "CutMix", arXiv:1905.04899, section 3.1.
#pragma once

#include <string>
#include <utility>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct CutmixOptions {
  double alpha = 1;
  std::string patch = "rectangle";
  double p = 1;
  double off_last = 0;

  void describe(Fields& f) {
    f.add("alpha", alpha, "both parameters of the Beta distribution of the patch's area").range(0.01, 100);
    f.add("patch", patch, "rectangle: as large a share of the bins as of the frames; time: all bins of some frames")
        .choices({"rectangle", "time"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
    f.add("off_last", off_last, "share of the epochs, at the end, in which nothing is mixed")
        .unit("fraction")
        .range(0, 1);
  }
};

/// Spectrogram [B, C, F, T], shape stays. With s ~ Beta(alpha, alpha) the patch spans sqrt(s) of the bins and of the
/// frames (rectangle) or all bins and s of the frames (time), in whole bins and frames; its place is uniform among
/// those where it fits (the source cuts off what stands out). There x = x2, at the same place, and with a the area as a
/// share of the picture y = (1 - a) y1 + a y2. Example 2 is another item of the batch as it arrived, drawn by item 1;
/// without labels only x is mixed, and a batch of one stays as it is.
class Cutmix final : public Transform {
 public:
  explicit Cutmix(CutmixOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  CutmixOptions options_;
};

}  // namespace amae
