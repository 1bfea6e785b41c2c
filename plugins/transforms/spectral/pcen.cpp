#include "pcen.h"

#include <cmath>

#include "../common/checks.h"

namespace amae {

Pcen::Pcen(PcenOptions options) : options_(options) {}

Spec Pcen::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "pcen", {Domain::spectrogram});
  require_level(input, "pcen", {Level::power, Level::magnitude});
  Spec out = input;
  out.level = Level::other;
  return out;
}

void Pcen::apply(Batch& batch, const Stage& /*stage*/) const {
  if (!(batch.rate_hz > 0)) throw input_error("pcen", "got an unknown frame rate, expected frames per second");
  const auto& [time_constant, gain, bias, power, eps] = options_;
  const double frames = time_constant * batch.rate_hz;
  // (sqrt(1 + 4 n^2) - 1) / (2 n^2) without the cancellation that a short time constant would suffer from.
  const double b = 2 / (std::sqrt(1 + 4 * frames * frames) + 1);
  const double floor = std::pow(bias, power);

  const at::Tensor x = plain(batch.x);
  const Rows shape(x);
  at::Tensor out = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t row = 0; row < shape.items * shape.rows; ++row) {
    double smooth = 1;
    for (int64_t t = 0; t < shape.length; ++t) {
      const auto energy = static_cast<double>(*from++);
      smooth = (1 - b) * smooth + b * energy;
      const double level = energy * std::pow(eps + smooth, -gain);
      double compressed = 0;
      if (power == 0) {
        compressed = std::log1p(level);
      } else if (bias == 0) {
        compressed = std::pow(level, power);
      } else {
        compressed = floor * std::expm1(power * std::log1p(level / bias));  // small levels keep their digits
      }
      *to++ = static_cast<float>(compressed);
    }
  }
  batch.x = out;
}

}  // namespace amae
