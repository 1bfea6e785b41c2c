// Transform `reverb`: the sound of another room, by recorded or by synthetic impulse responses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"
#include "sound_folder.h"

namespace amae {

struct ReverbOptions {
  std::string folder = "";
  std::vector<double> rt60 = {0.2, 0.8};
  std::vector<double> pre_delay = {0, 0.02};
  std::vector<double> wet_db = {-15, 0};
  bool keep_level = true;
  double p = 1;
  int64_t memory = int64_t{256} << 20;

  void describe(Fields& f) {
    f.add("folder", folder,
          "impulse responses: its .wav, .flac and .ogg files, sub-folders included; empty: synthetic ones")
        .path();
    f.add("rt60", rt60, "[shortest, longest] time in which a synthetic reverberation falls by 60 dB")
        .unit("s")
        .range(0.01, 10);
    f.add("pre_delay", pre_delay, "[shortest, longest] time from the direct path to a synthetic reverberation")
        .unit("s")
        .range(0, 1);
    f.add("wet_db", wet_db, "[lowest, highest] energy of the reverberation relative to the direct path")
        .unit("dB")
        .range(-60, 40);
    f.add("keep_level", keep_level, "scale each item back to the mean power that it had");
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
    f.add("memory", memory, "decoded responses kept; beyond it those used longest ago are decoded anew")
        .unit("bytes")
        .range(1 << 20, 1e12);
  }
  void check() const;
};

/// Audio x [B, C, N] -> the first N samples of h * x, same shape; h as room_response.h says, drawn for each item, the
/// same for all its channels. rt60 is drawn uniformly over its logarithm, pre_delay and wet_db uniformly. Recorded
/// responses (first channel, resampled to the rate that arrives) are drawn uniformly and get the drawn wet_db too, as
/// if the microphone stood nearer or farther; rt60 and pre_delay are theirs. The direct path is not delayed. With
/// keep_level each item keeps its mean power over all channels; silent items stay silent.
/// Throws InputError as SoundFolder does, and when the rate is unknown.
class Reverb final : public Transform {
 public:
  explicit Reverb(ReverbOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  [[nodiscard]] std::vector<float> response(double rate_hz, Draw& draw) const;

  ReverbOptions options_;
  std::optional<LazySoundFolder> folder_;  // none: synthetic
};

}  // namespace amae
