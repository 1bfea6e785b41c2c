// Transform `between_class`: mixes two examples of different classes so that both are heard in the share that the label
// says.
// Source: Tokozume, Ushiku and Harada 2018, "Learning from Between-class Examples for Deep Sound Recognition",
// arXiv:1711.10282, section 3.2; its level G is A-weighted, here it is not.
#pragma once

#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct BetweenClassOptions {
  double p = 0.8;
  double off_last = 0.1;
  double label_smoothing = 0.05;

  void describe(Fields& f) {
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
    f.add("off_last", off_last, "share of the epochs, at the end, in which nothing is mixed")
        .unit("fraction")
        .range(0, 1);
    f.add("label_smoothing", label_smoothing, "of the labels of examples that are not mixed")
        .unit("fraction")
        .range(0, 0.99);
  }
};

/// With r ~ U(0, 1), G the level of an example's loudest frame in decibels and t = 1 / (1 + 10^((G1-G2)/20) (1-r)/r):
///   audio [B, C, N]                x = (t x1 + (1-t) x2) / sqrt(t^2 + (1-t)^2)
///   power spectrogram [B, C, F, T] x = (t^2 x1 + (1-t)^2 x2) / (t^2 + (1-t)^2)   (cross terms vanish on average)
///   labels                         y = r y1 + (1-r) y2
/// Example 2 is an item of the batch of another class, drawn by item 1 (any other item if all are of one class).
/// An example that is not mixed gets y (1-s) + s/K, s = label_smoothing. Frames of audio: 4096 samples every 2048;
/// levels are limited to -80 dB. Shapes stay; without labels only x is mixed.
class BetweenClass final : public Transform {
 public:
  explicit BetweenClass(BetweenClassOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

  /// G of each item of x [B, C, N] or [B, C, F, T].
  static std::vector<double> peak_levels_db(const at::Tensor& x);

 private:
  BetweenClassOptions options_;
};

}  // namespace amae
