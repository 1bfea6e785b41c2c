#include "noise.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "../common/checks.h"

namespace amae {
namespace {

/// Adds scale * N(0, 1). Box-Muller in float with both outputs used: Draw::normal() in double costs four times as much,
/// and a clip has hundreds of thousands of samples.
void add_normal(float* x, int64_t n, float scale, Draw& draw) {
  for (int64_t i = 0; i < n; i += 2) {
    const float first = static_cast<float>((draw.bits() >> 8) + 1) * 0x1p-24F;  // (0, 1]
    const float second = static_cast<float>(draw.bits() >> 8) * 0x1p-24F;
    const float radius = scale * std::sqrt(-2.0F * std::log(first));
    const float angle = 2.0F * std::numbers::pi_v<float> * second;
    x[i] += radius * std::cos(angle);
    if (i + 1 < n) x[i + 1] += radius * std::sin(angle);
  }
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
  const int64_t size = Rows(out).item_size();
  for (int64_t item = 0; item < out.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    const double snr_db = draw.uniform(options_.snr_db[0], options_.snr_db[1]);
    float* x = out.mutable_data_ptr<float>() + item * size;
    double energy = 0;
    for (int64_t i = 0; i < size; ++i) energy += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    const double variance = energy / static_cast<double>(std::max<int64_t>(1, size)) / std::pow(10.0, snr_db / 10);
    if (variance > 0) add_normal(x, size, static_cast<float>(std::sqrt(variance)), draw);
  }
  batch.x = out;
}

}  // namespace amae
