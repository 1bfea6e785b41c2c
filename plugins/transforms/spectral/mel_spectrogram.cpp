#include "mel_spectrogram.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"

namespace amae {
namespace {

/// (x - mean) / (std + 1e-8) with the deviation of a sample (n - 1), in float64. Sums run over the distance from the
/// first value, so that a silent clip comes out as 0: rounding, divided by next to nothing, would pass for a signal.
at::Tensor standardized(const at::Tensor& features) {
  const at::Tensor exact = features.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  double* value = exact.mutable_data_ptr<double>();
  const int64_t count = exact.numel();
  const double first = value[0];
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i) sum += value[i] - first;
  const double mean = first + sum / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) squares += (value[i] - mean) * (value[i] - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(std::max<int64_t>(1, count - 1)));
  for (int64_t i = 0; i < count; ++i) value[i] = (value[i] - mean) / (deviation + 1e-8);
  return exact;
}

}  // namespace

void MelSpectrogramOptions::check() const {
  frame.check();
  if (f_max > 0 && f_max <= f_min) {
    throw option_error(
        "f_max", fmt::format("got {} Hz, expected more than f_min = {} Hz, or 0 for half the rate", f_max, f_min));
  }
  const Profile& p = find_profile(frame.profile);
  if (floor > 0 && chosen(scale, p.scale) == "linear") {
    throw option_error("floor", "got a value that nothing uses, expected none; or set scale: ln or db");
  }
  const bool uses_stats = chosen(feature_norm, p.feature_norm) == "stats";
  if (!stats.empty() && !uses_stats) {
    throw option_error("stats", "got values that nothing uses, expected none; or set feature_norm: stats");
  }
  if (stats.empty() && uses_stats && p.feature_norm != "stats") {
    throw option_error("stats", fmt::format("got none, expected [mean, std]; profile {} has none", p.name));
  }
  if (!stats.empty() && (stats.size() != 2 || !(stats[1] > 0))) {
    throw option_error("stats", fmt::format("got [{}], expected [mean, std] with std > 0", fmt::join(stats, ", ")));
  }
}

MelSpectrogram::MelSpectrogram(MelSpectrogramOptions options) : options_(std::move(options)) {
  MelSpectrogramOptions& o = options_;
  const Profile& p = find_profile(o.frame.profile);
  if (o.n_mels == 0) o.n_mels = p.n_mels;
  if (o.f_min < 0) o.f_min = p.f_min;
  if (o.f_max < 0) o.f_max = p.f_max;
  o.mel_scale = chosen(o.mel_scale, p.mel_scale);
  o.norm = chosen(o.norm, p.norm);
  o.triangles = chosen(o.triangles, p.triangles);
  if (o.power == 0) o.power = p.power;
  o.scale = chosen(o.scale, p.scale);
  if (o.floor == 0) o.floor = p.floor;
  o.floor_rule = chosen(o.floor_rule, p.floor_rule);
  o.feature_norm = chosen(o.feature_norm, p.feature_norm);
  mean_ = o.stats.empty() ? p.mean : o.stats[0];
  std_ = o.stats.empty() ? p.std : o.stats[1];
}

MelFilters MelSpectrogram::filters(double rate_hz) const {
  const double nyquist_hz = rate_hz / 2;
  if (options_.f_max > nyquist_hz) {
    throw InputError(
        "TRANSFORM-INPUT", "", "f_max",
        fmt::format("got {} Hz, expected at most {}, half the rate that arrives", options_.f_max, nyquist_hz));
  }
  const double f_max = options_.f_max > 0 ? options_.f_max : nyquist_hz;
  if (options_.f_min >= f_max) {
    throw InputError("TRANSFORM-INPUT", "", "f_min",
                     fmt::format("got {} Hz, expected less than {}, {}", options_.f_min, f_max,
                                 options_.f_max > 0 ? "f_max" : "half the rate that arrives"));
  }
  return {.n_mels = options_.n_mels,
          .f_min_hz = options_.f_min,
          .f_max_hz = f_max,
          .scale = options_.mel_scale == "htk" ? MelScale::htk : MelScale::slaney,
          .area = options_.norm == "slaney",
          .in_mel = options_.triangles == "mel"};
}

const MelSpectrogram::Plan& MelSpectrogram::plan(double rate_hz) const {
  if (!(rate_hz > 0)) throw input_error("mel_spectrogram", "got an unknown rate, expected samples per second");
  const std::lock_guard lock(mutex_);
  auto found = plans_.find(rate_hz);
  if (found == plans_.end()) {
    const at::ScalarType type = options_.scale == "linear" ? at::kFloat : at::kDouble;
    Framing framing(options_.frame, rate_hz, "mel_spectrogram", type);
    at::Tensor bank = mel_filters(framing.bins(), rate_hz, filters(rate_hz)).to(type);
    found = plans_.emplace(rate_hz, Plan{std::move(framing), std::move(bank)}).first;
  }
  return found->second;  // stays where it is: entries of a map do not move, and none is taken out
}

Spec MelSpectrogram::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "mel_spectrogram", {Domain::audio});
  Spec out{Domain::spectrogram, {input.shape[0], options_.n_mels, -1}, 0};
  out.level = options_.feature_norm != "none" ? Level::other
              : options_.scale != "linear"    ? Level::logarithm
              : options_.power == 1           ? Level::magnitude
                                              : Level::power;
  if (input.rate_hz > 0) {
    const Framing& framing = plan(input.rate_hz).framing;
    if (input.shape[1] >= 0) out.shape[2] = framing.frames(input.shape[1]);
    out.rate_hz = input.rate_hz / static_cast<double>(framing.hop());
  } else if (!options_.frame.needs_rate() && input.shape[1] >= 0) {
    out.shape[2] = Framing(options_.frame, 0, "mel_spectrogram").frames(input.shape[1]);
  }
  return out;
}

std::vector<double> MelSpectrogram::bin_frequencies_hz(const Spec& input) const {
  return input.rate_hz > 0 ? mel_peaks_hz(filters(input.rate_hz)) : std::vector<double>{};
}

at::Tensor MelSpectrogram::finished(at::Tensor features) const {
  if (options_.scale != "linear") {
    if (options_.floor_rule == "add") {
      features.add_(options_.floor);
    } else {
      features.clamp_min_(options_.floor);
    }
    if (options_.scale == "ln") {
      features.log_();
    } else {
      features.log10_().mul_(options_.power == 1 ? 20 : 10);
    }
  }
  if (options_.feature_norm == "stats") features.sub_(mean_).div_(2 * std_);
  return options_.feature_norm == "clip" ? standardized(features) : features;
}

void MelSpectrogram::apply(Batch& batch, const Stage& /*stage*/) const {
  const auto& [framing, bank] = plan(batch.rate_hz);
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 3, "mel_spectrogram: x must be [B, C, N]");
  const int64_t items = x.size(0), channels = x.size(1);
  at::Tensor out = at::empty({items, channels, options_.n_mels, framing.frames(x.size(2))}, x.options());
  // Item by item: the spectrum of one stays in the cache until its filters are applied, and an item's numbers cannot
  // depend on how many others came with it.
  for (int64_t item = 0; item < items; ++item) {
    at::Tensor spectrum = framing.power(x[item]);
    if (options_.power == 1) spectrum.sqrt_();
    for (int64_t channel = 0; channel < channels; ++channel) {
      out[item][channel].copy_(finished(at::mm(bank, spectrum[channel])));
    }
  }
  batch.x = out;
  batch.rate_hz /= static_cast<double>(framing.hop());
}

}  // namespace amae
