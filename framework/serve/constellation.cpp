#include "serve/constellation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "serve/tensor_json.h"

namespace amae::serve {
namespace {

constexpr int64_t kMostPoints = 2048, kMostColumns = 512;

/// Decibels below the peak [F, T], from the lowest frequency to the highest.
nlohmann::ordered_json two_sided_spectrogram(const Signal& signal) {
  const at::Tensor x = at::complex(signal.samples[0].contiguous(), signal.samples[1].contiguous());
  const int64_t count = x.size(0);
  int64_t n_fft = 256;
  while (n_fft > 16 && n_fft * 4 > count) n_fft /= 2;
  const int64_t hop = std::max<int64_t>(n_fft / 4, (count - n_fft) / kMostColumns + 1);
  const at::Tensor padded = count < n_fft ? at::constant_pad_nd(x, {0, n_fft - count}) : x;
  const at::Tensor frames = padded.unfold(0, n_fft, hop) * at::hann_window(n_fft);
  const at::Tensor power = at::fft_fftshift(at::fft_fft(frames, c10::nullopt, 1), {1}).abs().square();
  const at::Tensor db = 10 * power.clamp_min(1e-20).log10();
  nlohmann::ordered_json json = tensor_json((db - db.max()).clamp_min(-120).t().contiguous());
  json["start_s"] = 0;
  const bool has_rate = signal.rate_hz > 0;
  json["frame_s"] = nullptr;
  if (has_rate) json["frame_s"] = static_cast<double>(hop) / signal.rate_hz;
  std::vector<double> frequencies;
  for (int64_t k = 0; k < n_fft; ++k)
    frequencies.push_back(static_cast<double>(k - n_fft / 2) / static_cast<double>(n_fft) *
                          (has_rate ? signal.rate_hz : 1));
  json[has_rate ? "frequencies_hz" : "frequencies_cycles"] = frequencies;
  return json;
}

}  // namespace

std::optional<double> snr_db(const at::Tensor& samples) {
  const at::Tensor power = samples.to(at::kDouble).square().sum(0);
  const double m2 = power.mean().item<double>(), m4 = power.square().mean().item<double>();
  const double rest = 2 * m2 * m2 - m4;
  if (!(rest > 0)) return std::nullopt;
  const double carrier = std::sqrt(rest), noise = m2 - carrier;
  if (!(noise > 0) || !(carrier > 0)) return std::nullopt;
  return 10 * std::log10(carrier / noise);
}

nlohmann::ordered_json constellation_json(const Signal& signal) {
  const int64_t count = signal.samples.size(1), step = std::max<int64_t>(1, (count + kMostPoints - 1) / kMostPoints);
  const at::Tensor some = signal.samples.slice(1, 0, count, step).contiguous();
  const float* i = some.const_data_ptr<float>();
  const float* q = i + some.size(1);
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (int64_t n = 0; n < some.size(1); ++n) points.push_back({i[n], q[n]});
  nlohmann::ordered_json json{{"points", points}, {"snr_db", nullptr}};
  if (const auto snr = snr_db(signal.samples)) json["snr_db"] = *snr;
  json["spectrogram"] = two_sided_spectrogram(signal);
  return json;
}

}  // namespace amae::serve
