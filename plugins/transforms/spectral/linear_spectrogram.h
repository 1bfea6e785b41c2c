// Transform `linear_spectrogram`: waveform -> power or magnitude of every Fourier bin.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"
#include "framing.h"
#include "profiles.h"

namespace amae {

struct LinearSpectrogramOptions {
  FrameOptions frame = {};
  int64_t power = 2;

  void describe(Fields& f) {
    frame.describe(f);
    f.add("power", power, "1: magnitude, 2: power").range(1, 2);
  }
  void check() const { frame.check(); }
};

/// Audio x [B, C, N] at R Hz -> spectrogram [B, C, n_fft/2 + 1, T] at R / hop frames per second; framing.h says how
/// many frames. With the profile torchaudio: torchaudio.transforms.Spectrogram.
class LinearSpectrogram final : public Transform {
 public:
  explicit LinearSpectrogram(LinearSpectrogramOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] std::vector<double> bin_frequencies_hz(const Spec& input) const override;
  void apply(Batch& batch, const Stage& stage) const override;
  [[nodiscard]] int64_t version() const override { return kProfilesVersion; }

 private:
  [[nodiscard]] const Framing& framing(double rate_hz) const;

  LinearSpectrogramOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<double, Framing> framings_;  // by rate, filled on first use
};

}  // namespace amae
