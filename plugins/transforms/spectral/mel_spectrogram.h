// Transform `mel_spectrogram`: waveform -> mel power (or magnitude), by torchaudio.transforms.MelSpectrogram's
// conventions.
//
// Letters: C channels, N samples, F = n_mels, T frames. Centred: T = 1 + floor(N / hop), the signal padded by n_fft/2
// on both sides; uncentred: T = 1 + floor((N - n_fft) / hop). A window shorter than n_fft stands in its middle. No
// logarithm here: clips are mixed in power, so `log` or `db` comes later in the chain.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct MelSpectrogramOptions {
  int64_t n_fft = 1024;
  int64_t win_length = 0;
  int64_t hop = 512;
  int64_t n_mels = 64;
  double f_min = 0;
  double f_max = 0;
  std::string window = "hann";
  bool center = true;
  std::string pad_mode = "reflect";
  int64_t power = 2;
  std::string mel_scale = "htk";
  std::string norm = "none";
  bool normalized = false;

  void describe(Fields& f) {
    f.add("n_fft", n_fft, "length of the Fourier transform").unit("samples").range(2, 1 << 20);
    f.add("win_length", win_length, "length of the window; 0: n_fft").unit("samples").range(0, 1 << 20);
    f.add("hop", hop, "step from frame to frame").unit("samples").range(1, 1 << 20);
    f.add("n_mels", n_mels, "number of mel bins").unit("bins").range(1, 4096);
    f.add("f_min", f_min, "lowest frequency").unit("Hz").range(0, 1e9);
    f.add("f_max", f_max, "highest frequency; 0: half the sampling rate").unit("Hz").range(0, 1e9);
    f.add("window", window, "periodic window").choices({"hann", "hamming"});
    f.add("center", center, "frame t is centred on sample t * hop");
    f.add("pad_mode", pad_mode, "what stands outside the clip when centred").choices({"reflect", "constant"});
    f.add("power", power, "1: magnitude, 2: power").range(1, 2);
    f.add("mel_scale", mel_scale, "formula of the mel scale").choices({"htk", "slaney"});
    f.add("norm", norm, "slaney: triangles of equal area; none: of equal height").choices({"none", "slaney"});
    f.add("normalized", normalized, "divide the spectrum by the window's root of summed squares");
  }
  void check() const;
};

/// Audio x [B, C, N] at R Hz -> spectrogram [B, C, F, T] at R / hop frames per second.
class MelSpectrogram final : public Transform {
 public:
  explicit MelSpectrogram(MelSpectrogramOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

  /// |STFT|^2 of x [B, N] -> [B, n_fft/2 + 1, T]; the step before the mel filters.
  [[nodiscard]] at::Tensor power_spectrum(const at::Tensor& x) const;

 private:
  void require_length(int64_t samples) const;
  [[nodiscard]] int64_t frames(int64_t samples) const;
  [[nodiscard]] at::Tensor filters(double rate_hz) const;

  MelSpectrogramOptions options_;
  at::Tensor window_;  // [win_length]
  mutable std::mutex mutex_;
  mutable std::map<double, at::Tensor> filters_by_rate_;  // [F, n_fft/2 + 1], filled on first use
};

}  // namespace amae
