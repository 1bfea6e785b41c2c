#include "iq_spectrogram.h"

#include <utility>

#include "../common/checks.h"
#include "iq_frame.h"

namespace amae {
namespace {

at::Tensor unit_window(const std::string& kind, int64_t length) {
  const auto options = at::TensorOptions(at::kDouble);
  at::Tensor window = kind == "hann"       ? at::hann_window(length, true, options)
                      : kind == "hamming"  ? at::hamming_window(length, true, options)
                      : kind == "blackman" ? at::blackman_window(length, true, options)
                                           : at::ones({length}, options);
  return (window / window.square().sum().sqrt()).to(at::kFloat);
}

}  // namespace

void IqSpectrogramOptions::check() const {
  if (n_fft % 2 != 0) {
    throw option_error("n_fft", fmt::format("got {}, expected an even number; try {}", n_fft, n_fft + 1));
  }
}

IqSpectrogram::IqSpectrogram(IqSpectrogramOptions options)
    : options_(std::move(options)), window_(unit_window(options_.window, options_.n_fft)) {}

int64_t IqSpectrogram::frames(int64_t samples) const {
  if (samples < options_.n_fft) {
    throw input_error("iq_spectrogram",
                      fmt::format("got {} samples, expected at least n_fft = {}", samples, options_.n_fft));
  }
  return 1 + (samples - options_.n_fft) / options_.hop;
}

Spec IqSpectrogram::output(const Spec& input, Mode /*mode*/) const {
  require_iq(input, "iq_spectrogram");
  const int64_t count = input.shape[1] < 0 ? -1 : frames(input.shape[1]);
  return {Domain::spectrogram,
          {1, options_.n_fft, count},
          input.rate_hz / static_cast<double>(options_.hop),
          options_.scale == "db" ? Level::logarithm : Level::power};
}

std::vector<double> IqSpectrogram::bin_frequencies_hz(const Spec& input) const {
  if (!(input.rate_hz > 0)) return {};
  std::vector<double> hz(static_cast<size_t>(options_.n_fft));
  for (int64_t bin = 0; bin < options_.n_fft; ++bin)
    hz[static_cast<size_t>(bin)] =
        static_cast<double>(bin - options_.n_fft / 2) * input.rate_hz / static_cast<double>(options_.n_fft);
  return hz;
}

void IqSpectrogram::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain_iq(batch.x, "iq_spectrogram");
  at::Tensor out = at::empty({x.size(0), 1, options_.n_fft, frames(x.size(2))}, x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {  // one by one: see mel_spectrogram
    const at::Tensor samples = at::complex(x[item][0], x[item][1]);
    const at::Tensor spectrum = at::fft_fft(samples.unfold(0, options_.n_fft, options_.hop) * window_);  // [T, W]
    at::Tensor power = at::fft_fftshift(at::view_as_real(spectrum).square().sum(-1), {1});
    if (options_.scale == "db") power = power.clamp_min(options_.floor).log10_().mul_(10);
    out[item][0].copy_(power.t());
  }
  batch.x = out;
  batch.rate_hz /= static_cast<double>(options_.hop);
}

}  // namespace amae
