// Transform `background`: a random piece of a random recording, mixed in at a random signal-to-noise ratio.
#pragma once

#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"
#include "sound_folder.h"

namespace amae {

struct BackgroundOptions {
  std::string folder = "";
  std::vector<double> snr_db = {5, 30};
  double p = 1;
  int64_t memory = int64_t{512} << 20;

  void describe(Fields& f) {
    f.add("folder", folder, "recordings to mix in: its .wav, .flac and .ogg files, sub-folders included")
        .required()
        .path();
    f.add("snr_db", snr_db, "[lowest, highest] ratio of the item's mean power to the background's")
        .unit("dB")
        .range(-60, 120);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
    f.add("memory", memory, "decoded recordings kept; beyond it those used longest ago are decoded anew")
        .unit("bytes")
        .range(1 << 20, 1e12);
  }
  void check() const;
};

/// Audio x [B, C, N] -> x + g b, same shape. b is a piece of N samples of a recording, at the rate that arrives, the
/// mean of its channels, the same for all channels of the item: recording, start and ratio s ~ U(snr_db) are drawn;
/// a recording that is not longer than the item goes round. g = sqrt(mean(x^2) / mean(b^2) / 10^(s/10)), the mean of x
/// over all its channels. Silent items stay silent, and a silent piece (below -200 dB of full scale) changes nothing.
///
/// The folder is read (names and headers) when the config is; two runs are equal only while its files are.
/// Throws InputError as SoundFolder does.
class Background final : public Transform {
 public:
  explicit Background(BackgroundOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  BackgroundOptions options_;
  LazySoundFolder folder_;
};

}  // namespace amae
