// A labelled audio data set that needs no file: for first steps, tests and benchmarks.
#pragma once

#include "amae/dataset.h"
#include "amae/options.h"

namespace amae {

struct SyntheticSoundsOptions {
  int64_t clips_per_class = 40;
  int64_t seed = 0;
  double duration = 1.0;                 // s
  double rate = 16000;                   // Hz
  std::vector<double> snr_db = {5, 25};  // lowest and highest

  void describe(Fields& fields) {
    fields.add("clips_per_class", clips_per_class, "clips of each of the ten classes").range(1, 1e6);
    fields.add("seed", seed, "another seed gives other clips").min(0);
    // Slow sounds (three bursts a second) need half a second to show what they are.
    fields.add("duration", duration, "length of a clip").unit("s").range(0.5, 60);
    fields.add("rate", rate, "sample rate").unit("Hz").range(4000, 192000);
    fields.add("snr_db", snr_db, "lowest and highest ratio of sound to background noise").unit("dB").range(-40, 100);
  }

  /// Throws InputError unless snr_db is [low, high] with low <= high.
  void check() const;
};

/// Ten classes (kSoundNames in sounds.h) in turn: row = clip * 10 + class. Folds 1..5 in turn, each class balanced in
/// each fold. A row depends on (seed, duration, rate, snr_db, row) alone: more clips leave the earlier ones as they
/// are. Column "snr_db". Over 1,000 clips of 1 s at 16 kHz a second on one core.
class SyntheticSounds final : public Dataset {
 public:
  explicit SyntheticSounds(const SyntheticSoundsOptions& options);

  [[nodiscard]] int64_t size() const override;
  [[nodiscard]] std::string id(int64_t row) const override;  ///< "chirp_up-007"
  [[nodiscard]] Signal load(int64_t row) const override;     ///< [1, duration * rate]
  [[nodiscard]] Spec spec() const override;
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return labels_; }
  [[nodiscard]] std::vector<int64_t> folds() const override;
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  [[nodiscard]] int64_t samples() const;
  void check_row(int64_t row) const;

  SyntheticSoundsOptions options_;
  std::vector<std::string> classes_;
  at::Tensor labels_;
};

}  // namespace amae
