#include "low_pass.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "../common/checks.h"
#include "../common/convolve.h"
#include "../common/sinc_resampler.h"
#include "speed.h"

namespace amae {
namespace {

at::Tensor filtered(const at::Tensor& x, double cutoff) {
  const std::vector<float> taps = low_pass_taps(cutoff);
  const auto delay = static_cast<int64_t>(taps.size()) / 2;
  return convolve(at::constant_pad_nd(x, {0, delay}), taps).narrow(1, delay, x.size(1));
}

}  // namespace

void LowPassOptions::check() const { require_interval("cutoff", cutoff); }

std::vector<float> low_pass_taps(double cutoff) {
  constexpr double kAttenuationDb = 65, kTransition = 0.1;  // as a share of the cut-off
  const double beta = 0.1102 * (kAttenuationDb - 8.7);
  const double width = 2 * std::numbers::pi * kTransition * cutoff;  // radians per sample
  const auto half = static_cast<int64_t>(std::ceil((kAttenuationDb - 8) / (2.285 * width) / 2));
  const double middle = cutoff * (1 - kTransition / 2);
  const at::Tensor n = at::arange(-half, half + 1, at::kDouble);
  at::Tensor taps = at::sinc(n * (2 * middle)) * at::kaiser_window(2 * half + 1, /*periodic=*/false, beta, at::kDouble);
  taps = (taps / taps.sum()).to(at::kFloat);
  return {taps.const_data_ptr<float>(), taps.const_data_ptr<float>() + taps.numel()};
}

at::Tensor mu_law_rounded(const at::Tensor& x) {
  constexpr float kMu = 255, kLevels = 127;
  const float scale = std::log1p(kMu);
  at::Tensor y = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    const float level = std::log1p(kMu * std::min(1.0F, std::abs(from[i]))) / scale;
    to[i] = std::copysign(std::expm1(scale * std::round(kLevels * level) / kLevels) / kMu, from[i]);
  }
  return y;
}

void LowPass::check_rate(double rate_hz) const { require_below_nyquist("cutoff", options_.cutoff, rate_hz); }

at::Tensor LowPass::perturb(const at::Tensor& x, double rate_hz, Draw& draw) const {
  const double cutoff = draw_log(options_.cutoff, draw) / known(rate_hz);
  const bool rounds = draw.chance(options_.mu_law);
  const bool filters = cutoff < 0.5;
  if (options_.method == "fir" || !filters) {
    const at::Tensor y = filters ? filtered(x, cutoff).contiguous() : x;
    return rounds ? mu_law_rounded(y) : y;
  }
  // Below a twentieth of half the rate, 1/q is within 2.5 %; fractions with q up to 200 would be coarse or 0 there.
  const auto [fewer, of] = 2 * cutoff < 0.05 ? std::pair<int64_t, int64_t>{1, std::llround(1 / (2 * cutoff))}
                                             : nearest_fraction(2 * cutoff, 200);
  const int64_t n = x.size(1);
  const at::Tensor low = played_at(x, of, fewer, n);
  return played_at(rounds ? mu_law_rounded(low) : low, fewer, of, n);
}

}  // namespace amae
