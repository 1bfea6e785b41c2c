// Transform `energy_crop`: a random crop that still holds something to hear.
//
// Many clips are padded with digital silence; a blind crop would often train the model on nothing under a class label.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct EnergyCropOptions {
  int64_t frames = 188;
  double min_energy = 0.3;
  double floor_db = -40;

  void describe(Fields& f) {
    f.add("frames", frames, "length of the crop").unit("frames").range(1, 1 << 24);
    f.add("min_energy", min_energy, "share of the clip's energy that the crop must hold").unit("fraction").range(0, 1);
    f.add("floor_db", floor_db, "frames quieter than this below the loudest count as silence")
        .unit("dB")
        .range(-200, 0);
  }
};

/// Power spectrogram [B, C, F, T] -> [B, C, F, frames] in training; evaluation sees the whole clip.
///
/// The energy of a frame is the sum of its power over channels and bins, 0 when below floor_db under the clip's loudest
/// frame. The start is drawn uniformly from those whose crop holds at least min_energy of the clip's energy; where none
/// does, it is the start that holds most. Clips shorter than the crop are repeated.
class EnergyCrop final : public Transform {
 public:
  explicit EnergyCrop(EnergyCropOptions options) : options_(options) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  EnergyCropOptions options_;
};

}  // namespace amae
