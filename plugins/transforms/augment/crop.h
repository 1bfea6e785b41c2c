// Transform `crop`: a random piece of each clip.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct CropOptions {
  int64_t frames = 200;
  std::string eval = "whole";

  void describe(Fields& f) {
    f.add("frames", frames, "length of the crop on the last axis: frames of a spectrogram, samples of a signal")
        .range(1, 1 << 24);
    f.add("eval", eval, "what evaluation sees: the whole clip, or a crop from its center (further views: others)")
        .choices({"whole", "center"});
  }
};

/// x [B, ..., T] -> [B, ..., frames] in training, whatever the values mean (energy_crop knows sound from silence). The
/// start is drawn uniformly from 0..T - frames; clips shorter than the crop are repeated.
///
/// Evaluation: whole leaves x as it is. center crops from s0 = (T - frames) / 2 rounded down; view v of V from
/// (s0 + floor(v * S / V)) mod S with S = T - frames + 1 starts, so that views spread evenly over the clip.
/// Throws InputError for a clip of no frames.
class Crop final : public Transform {
 public:
  explicit Crop(CropOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;
  void apply_eval(Batch& batch, int64_t view, int64_t views) const override;

 private:
  CropOptions options_;
};

}  // namespace amae
