#include "linear_spectrogram.h"

#include <utility>

#include "../common/checks.h"

namespace amae {

LinearSpectrogram::LinearSpectrogram(LinearSpectrogramOptions options) : options_(std::move(options)) {}

const Framing& LinearSpectrogram::framing(double rate_hz) const {
  const std::lock_guard lock(mutex_);
  auto found = framings_.find(rate_hz);
  if (found == framings_.end()) {
    found = framings_.emplace(rate_hz, Framing(options_.frame, rate_hz, "linear_spectrogram")).first;
  }
  return found->second;  // stays where it is: entries of a map do not move, and none is taken out
}

Spec LinearSpectrogram::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "linear_spectrogram", {Domain::audio});
  Spec out{Domain::spectrogram, {input.shape[0], -1, -1}, 0, options_.power == 1 ? Level::magnitude : Level::power};
  if (!(input.rate_hz > 0) && options_.frame.needs_rate()) return out;
  const Framing& frames = framing(input.rate_hz);
  out.shape[1] = frames.bins();
  if (input.shape[1] >= 0) out.shape[2] = frames.frames(input.shape[1]);
  out.rate_hz = input.rate_hz / static_cast<double>(frames.hop());
  return out;
}

std::vector<double> LinearSpectrogram::bin_frequencies_hz(const Spec& input) const {
  if (!(input.rate_hz > 0)) return {};
  const int64_t bins = framing(input.rate_hz).bins();
  std::vector<double> hz(static_cast<size_t>(bins));
  for (int64_t bin = 0; bin < bins; ++bin)
    hz[static_cast<size_t>(bin)] = input.rate_hz / 2 * static_cast<double>(bin) / static_cast<double>(bins - 1);
  return hz;
}

void LinearSpectrogram::apply(Batch& batch, const Stage& /*stage*/) const {
  const Framing& frames = framing(batch.rate_hz);
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 3, "linear_spectrogram: x must be [B, C, N]");
  at::Tensor out = at::empty({x.size(0), x.size(1), frames.bins(), frames.frames(x.size(2))}, x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {  // one by one: see mel_spectrogram
    at::Tensor spectrum = frames.power(x[item]);
    if (options_.power == 1) spectrum.sqrt_();
    out[item].copy_(spectrum);
  }
  batch.x = out;
  batch.rate_hz /= static_cast<double>(frames.hop());
}

}  // namespace amae
