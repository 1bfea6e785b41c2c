// Transform `spec_augment`: blanks random bands of frequency and of time.
// Source: Park et al. 2019, "SpecAugment", arXiv:1904.08779 (masks only, no time warping).
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct SpecAugmentOptions {
  int64_t freq_masks = 2;
  int64_t freq_width = 8;
  int64_t time_masks = 2;
  int64_t time_width = 20;
  double fill = 0;
  double p = 1;

  void describe(Fields& f) {
    f.add("freq_masks", freq_masks, "number of bands of bins").range(0, 64);
    f.add("freq_width", freq_width, "largest number of bins in one").unit("bins").range(0, 4096);
    f.add("time_masks", time_masks, "number of stretches of frames").range(0, 64);
    f.add("time_width", time_width, "largest number of frames in one").unit("frames").range(0, 1 << 20);
    f.add("fill", fill, "value written; 0 is the mean after standardize").range(-1000, 1000);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
};

/// Spectrogram [B, C, F, T], shape stays. Each mask has a width drawn from 0..width and a start drawn from all places
/// where it fits; all channels of an item get the same. Belongs after `standardize`.
class SpecAugment final : public Transform {
 public:
  explicit SpecAugment(SpecAugmentOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  SpecAugmentOptions options_;
};

}  // namespace amae
