#include "noise.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"
#include "../common/fast_length.h"
#include "../common/level.h"
#include "../common/normal.h"

namespace amae {
namespace {

/// a of a density f^a.
double exponent_of(const std::string& color) {
  if (color == "pink") return -1;
  if (color == "brown") return -2;
  if (color == "blue") return 1;
  return color == "violet" ? 2 : 0;
}

/// [rows, n] of density f^exponent as the header says, of any power: white noise weighted in the frequency domain.
at::Tensor colored_noise(int64_t rows, int64_t n, double exponent, double rate_hz, Draw& draw) {
  constexpr double kFloorHz = 20;
  const int64_t length = fast_length(n);
  at::Tensor white = at::zeros({rows, length}, at::kFloat);
  add_normal(white.mutable_data_ptr<float>(), white.numel(), 1, draw);
  const double floor_bin = rate_hz > 0 ? std::max(1.0, kFloorHz * static_cast<double>(length) / rate_hz) : 1;
  at::Tensor weight = at::arange(length / 2 + 1, at::kFloat).clamp_min_(floor_bin).pow_(exponent / 2);
  weight.mutable_data_ptr<float>()[0] = 0;
  return at::fft_irfft(at::fft_rfft(white) * weight, length).narrow(1, 0, n).contiguous();
}

}  // namespace

void NoiseOptions::check() const { require_interval("snr_db", snr_db); }

Noise::Noise(NoiseOptions options) : options_(std::move(options)) {}

Spec Noise::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "noise", {Domain::audio, Domain::iq});
  return input;
}

void Noise::apply(Batch& batch, const Stage& stage) const {
  at::Tensor out = plain(batch.x).clone();
  const Rows shape(out);
  const int64_t size = shape.item_size();
  for (int64_t item = 0; item < out.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    const double snr_db = draw.uniform(options_.snr_db[0], options_.snr_db[1]);
    float* x = out.mutable_data_ptr<float>() + item * size;
    const double variance = mean_square(x, size) / std::pow(10.0, snr_db / 10);
    if (!(variance > 0)) continue;
    if (options_.color == "white") {
      add_normal(x, size, static_cast<float>(std::sqrt(variance)), draw);
      continue;
    }
    const at::Tensor noise = colored_noise(shape.rows, shape.length, exponent_of(options_.color), batch.rate_hz, draw);
    const float* n = noise.const_data_ptr<float>();
    const double power = mean_square(n, size);
    if (!(power > 0)) continue;  // one sample has no frequency but 0
    const auto scale = static_cast<float>(std::sqrt(variance / power));
    for (int64_t i = 0; i < size; ++i) x[i] += scale * n[i];
  }
  batch.x = out;
}

}  // namespace amae
