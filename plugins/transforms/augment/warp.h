// Transform `warp`: bends the axes of a spectrogram, like another speaking rate or another vocal tract.
// Sources: Park et al. 2019, "SpecAugment", arXiv:1904.08779, section 2 (time warping, here piecewise linear); Jaitly
// and Hinton 2013, "Vocal Tract Length Perturbation (VTLP) improves speech recognition", section 3 (frequency).
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct WarpOptions {
  double time = 0.1;
  double frequency = 0.05;
  double p = 1;

  void describe(Fields& f) {
    f.add("time", time, "largest shift of a point in time, as a share of the clip").unit("fraction").range(0, 0.2);
    f.add("frequency", frequency, "largest shift of a bin, as a share of the bins").unit("fraction").range(0, 0.2);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
};

/// Spectrogram [B, C, F, T], shape stays; all channels of an item get the same.
///
/// On an axis of n places 0..n-1, with last = n - 1: the point c ~ U(1/4, 3/4) last moves by d ~ U(-m, m) last, m the
/// option; the ends stay and what lies between follows linearly. So output place j shows input place
///   j c / (c+d) for j <= c+d,   last - (last - j) (last - c) / (last - c - d) above,
/// by linear interpolation between neighbours. m = 0 leaves an axis exactly as it is.
class Warp final : public Transform {
 public:
  explicit Warp(WarpOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  WarpOptions options_;
};

}  // namespace amae
