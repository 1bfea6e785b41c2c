// Transform `band_eq`: a random, piecewise linear equaliser over the mel bins, like another room or microphone.
// Source: Nam, Kim and Park 2022, "FilterAugment", arXiv:2110.03282 (its linear type).
#pragma once

#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct BandEqOptions {
  double max_db = 6;
  std::vector<int64_t> bands = {2, 6};
  int64_t min_bins = 6;
  double p = 1;

  void describe(Fields& f) {
    f.add("max_db", max_db, "largest gain or loss").unit("dB").range(0, 60);
    f.add("bands", bands, "[fewest, most] bands").range(1, 64);
    f.add("min_bins", min_bins, "narrowest band").unit("bins").range(1, 1024);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Power spectrogram [B, C, F, T] -> x * 10^(g(f)/10), same shape; all channels of an item get the same g.
///
/// n ~ U{bands} bands at least min_bins wide share the F bins; at each of their n + 1 borders g ~ U(-max_db, max_db),
/// in between it is linear in decibels over the bins.
class BandEq final : public Transform {
 public:
  explicit BandEq(BandEqOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  void require_bins(int64_t bins) const;
  BandEqOptions options_;
};

}  // namespace amae
