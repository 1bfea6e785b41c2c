#include "mel_spectrogram.h"

#include <utility>

#include "../common/checks.h"
#include "mel_scale.h"

namespace amae {

void MelSpectrogramOptions::check() const {
  if (win_length > n_fft) {
    throw option_error("win_length", fmt::format("got {}, expected at most n_fft = {}", win_length, n_fft));
  }
  if (f_max > 0 && f_max <= f_min) {
    throw option_error(
        "f_max", fmt::format("got {} Hz, expected more than f_min = {} Hz, or 0 for half the rate", f_max, f_min));
  }
}

MelSpectrogram::MelSpectrogram(MelSpectrogramOptions options) : options_(std::move(options)) {
  if (options_.win_length == 0) options_.win_length = options_.n_fft;
  window_ = options_.window == "hann" ? at::hann_window(options_.win_length, /*periodic=*/true, at::kFloat)
                                      : at::hamming_window(options_.win_length, /*periodic=*/true, at::kFloat);
}

int64_t MelSpectrogram::frames(int64_t samples) const {
  return 1 + (options_.center ? samples : samples - options_.n_fft) / options_.hop;
}

void MelSpectrogram::require_length(int64_t samples) const {
  const bool reflects = options_.center && options_.pad_mode == "reflect";
  const int64_t least = reflects ? options_.n_fft / 2 + 1 : options_.center ? 1 : options_.n_fft;
  if (samples < least) {
    throw input_error("mel_spectrogram",
                      fmt::format("got {} samples, expected at least {} for n_fft = {}{}", samples, least,
                                  options_.n_fft, reflects ? "; pad_mode: constant takes any length" : ""));
  }
}

at::Tensor MelSpectrogram::filters(double rate_hz) const {
  if (!(rate_hz > 0)) throw input_error("mel_spectrogram", "got an unknown rate, expected samples per second");
  const double nyquist_hz = rate_hz / 2;
  if (options_.f_max > nyquist_hz) {
    throw InputError(
        "TRANSFORM-INPUT", "", "f_max",
        fmt::format("got {} Hz, expected at most {}, half the rate that arrives", options_.f_max, nyquist_hz));
  }
  const double f_max = options_.f_max > 0 ? options_.f_max : nyquist_hz;
  if (options_.f_min >= f_max) {
    throw InputError(
        "TRANSFORM-INPUT", "", "f_min",
        fmt::format("got {} Hz, expected less than {}, half the rate that arrives", options_.f_min, f_max));
  }
  const std::lock_guard lock(mutex_);
  at::Tensor& found = filters_by_rate_[rate_hz];
  if (!found.defined()) {
    found = mel_filters(options_.n_fft / 2 + 1, rate_hz, options_.n_mels, options_.f_min, f_max,
                        options_.mel_scale == "htk" ? MelScale::htk : MelScale::slaney, options_.norm == "slaney");
  }
  return found;
}

Spec MelSpectrogram::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "mel_spectrogram", {Domain::audio});
  Spec out{Domain::spectrogram, {input.shape[0], options_.n_mels, -1}, 0};
  if (input.shape[1] >= 0) {
    require_length(input.shape[1]);
    out.shape[2] = frames(input.shape[1]);
  }
  if (input.rate_hz > 0) {
    static_cast<void>(filters(input.rate_hz));  // for its checks
    out.rate_hz = input.rate_hz / static_cast<double>(options_.hop);
  }
  return out;
}

at::Tensor MelSpectrogram::power_spectrum(const at::Tensor& x) const {
  const at::Tensor spectrum =
      at::stft(x, options_.n_fft, options_.hop, options_.win_length, window_, options_.center, options_.pad_mode,
               /*normalized=*/false, /*onesided=*/true, /*return_complex=*/true);
  at::Tensor power = at::real(spectrum).square() + at::imag(spectrum).square();
  if (options_.normalized) power.div_(window_.square().sum());
  return power;
}

void MelSpectrogram::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor bank = filters(batch.rate_hz);
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 3, "mel_spectrogram: x must be [B, C, N]");
  const int64_t items = x.size(0), channels = x.size(1), samples = x.size(2);
  require_length(samples);
  const int64_t length = frames(samples);
  at::Tensor out = at::empty({items, channels, options_.n_mels, length}, x.options());
  // Item by item: the spectrum of one stays in the cache until its filters are applied, and an item's numbers cannot
  // depend on how many others came with it.
  for (int64_t item = 0; item < items; ++item) {
    at::Tensor spectrum = power_spectrum(x[item]);
    if (options_.power == 1) spectrum.sqrt_();
    for (int64_t channel = 0; channel < channels; ++channel) {
      at::Tensor target = out[item][channel];
      at::mm_out(target, bank, spectrum[channel]);
    }
  }
  batch.x = out;
  batch.rate_hz /= static_cast<double>(options_.hop);
}

}  // namespace amae
