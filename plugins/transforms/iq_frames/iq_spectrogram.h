// Transform `iq_spectrogram`: the two-sided power spectrum of each piece of a frame.
//
// Letters: B batch, N samples, W = n_fft, T = 1 + floor((N - W) / hop) frames, w the window in its periodic form.
//
//   P[k, t] = |sum_n w[n] x[t hop + n] e^(-2 pi i k n / W)|^2 / sum_n w[n]^2
//
// Row f of the picture is k = f - W/2 (fftshift): the frequency (f - W/2) rate / W, from -rate/2 upwards, 0 Hz in row
// W/2. Divided so, white noise of power E|x|^2 = s has mean s in every bin, whatever the window.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct IqSpectrogramOptions {
  int64_t n_fft = 64;
  int64_t hop = 16;
  std::string window = "hann";
  std::string scale = "db";
  double floor = 1e-10;

  void describe(Fields& f) {
    f.add("n_fft", n_fft, "samples of a piece and frequency bins, even").unit("samples").range(2, 1 << 20);
    f.add("hop", hop, "step from piece to piece").unit("samples").range(1, 1 << 20);
    f.add("window", window, "shape of the window, periodic form")
        .choices({"hann", "hamming", "blackman", "rectangular"});
    f.add("scale", scale, "db: 10 log10 of the power; linear: the power").choices({"db", "linear"});
    f.add("floor", floor, "db: smaller powers are raised to it").range(1e-30, 1e6);
  }
  void check() const;
};

/// IQ x [B, 2, N] -> [B, 1, W, T] at rate / hop frames a second. Throws InputError (field "input") for N < W.
class IqSpectrogram final : public Transform {
 public:
  explicit IqSpectrogram(IqSpectrogramOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] std::vector<double> bin_frequencies_hz(const Spec& input) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  [[nodiscard]] int64_t frames(int64_t samples) const;

  IqSpectrogramOptions options_;
  at::Tensor window_;  // [W] float32, its squares add up to 1
};

}  // namespace amae
