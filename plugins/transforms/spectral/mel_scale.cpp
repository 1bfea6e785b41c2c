#include "mel_scale.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace amae {
namespace {

constexpr double kLinearHz = 200.0 / 3.0, kBreakHz = 1000.0, kBreakMel = kBreakHz / kLinearHz;
const double kLogStep = std::log(6.4) / 27.0;

/// n_mels + 2 places evenly spaced in mel from f_min_hz to f_max_hz: where triangles begin, peak and end.
std::vector<double> corners_mel(const MelFilters& f) {
  const double lowest = hz_to_mel(f.f_min_hz, f.scale), highest = hz_to_mel(f.f_max_hz, f.scale);
  std::vector<double> mel(static_cast<size_t>(f.n_mels) + 2);
  for (size_t m = 0; m < mel.size(); ++m)
    mel[m] = lowest + (highest - lowest) * static_cast<double>(m) / static_cast<double>(f.n_mels + 1);
  return mel;
}

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < kBreakHz ? hz / kLinearHz : kBreakMel + std::log(hz / kBreakHz) / kLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < kBreakMel ? mel * kLinearHz : kBreakHz * std::exp(kLogStep * (mel - kBreakMel));
}

std::vector<double> mel_peaks_hz(const MelFilters& f) {
  const std::vector<double> mel = corners_mel(f);
  std::vector<double> hz(static_cast<size_t>(f.n_mels));
  for (size_t m = 0; m < hz.size(); ++m) hz[m] = mel_to_hz(mel[m + 1], f.scale);
  return hz;
}

at::Tensor mel_filters(int64_t n_bins, double rate_hz, const MelFilters& f) {
  const std::vector<double> mel = corners_mel(f);
  std::vector<double> hz(mel.size()), corner(mel.size());  // corner: in the domain where the sides are straight
  for (size_t m = 0; m < mel.size(); ++m) {
    hz[m] = mel_to_hz(mel[m], f.scale);
    corner[m] = f.in_mel ? mel[m] : hz[m];
  }
  std::vector<double> place(n_bins);
  for (int64_t bin = 0; bin < n_bins; ++bin) {
    const double bin_hz = rate_hz / 2 * static_cast<double>(bin) / static_cast<double>(n_bins - 1);
    place[bin] = f.in_mel ? hz_to_mel(bin_hz, f.scale) : bin_hz;
  }
  at::Tensor filters = at::empty({f.n_mels, n_bins}, at::kFloat);
  float* out = filters.mutable_data_ptr<float>();
  for (int64_t m = 0; m < f.n_mels; ++m) {
    const double height = f.area ? 2.0 / (hz[m + 2] - hz[m]) : 1.0;
    for (int64_t bin = 0; bin < n_bins; ++bin) {
      const double up = (place[bin] - corner[m]) / (corner[m + 1] - corner[m]);
      const double down = (corner[m + 2] - place[bin]) / (corner[m + 2] - corner[m + 1]);
      *out++ = static_cast<float>(height * std::max(0.0, std::min(up, down)));
    }
  }
  return filters;
}

}  // namespace amae
