#include "pulse.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amae {
namespace {

constexpr int kArms = 512;
constexpr double kPi = std::numbers::pi;

}  // namespace

double root_raised_cosine(double t, double roll_off) {
  constexpr double kNear = 1e-6;  // around the two places where the formula is 0 / 0
  const double a = roll_off;
  if (std::abs(t) < kNear) return 1 - a + 4 * a / kPi;
  if (std::abs(std::abs(4 * a * t) - 1) < kNear) {
    const double angle = kPi / (4 * a);
    return a / std::numbers::sqrt2 * ((1 + 2 / kPi) * std::sin(angle) + (1 - 2 / kPi) * std::cos(angle));
  }
  const double above = std::sin(kPi * t * (1 - a)) + 4 * a * t * std::cos(kPi * t * (1 + a));
  return above / (kPi * t * (1 - 16 * a * a * t * t));
}

double rectangular_phase_pulse(double t) { return std::clamp(t + 0.5, 0.0, 1.0); }

double gaussian_phase_pulse(double t, double bt) {
  const double deviation = std::sqrt(std::numbers::ln2) / (2 * kPi * bt);  // of the filter's impulse response
  // Twice the integral of a Gaussian: of the filtered step, of which a box is two.
  const auto ramp = [&](double x) {
    const double z = x / deviation;
    return x * 0.5 * std::erfc(-z / std::numbers::sqrt2) + deviation * std::exp(-z * z / 2) / std::sqrt(2 * kPi);
  };
  return ramp(t + 0.5) - ramp(t - 0.5);
}

Pulse::Pulse(int reach, const std::function<double(double)>& f) : reach_(reach) {
  for (int arm = 0; arm <= kArms; ++arm) {
    for (int j = 0; j < 2 * reach; ++j) {
      table_.push_back(static_cast<float>(f(static_cast<double>(arm) / kArms + reach - 1 - j)));
    }
  }
}

int64_t Pulse::weights(double t, float* out) const {
  const double whole = std::floor(t);
  const double place = (t - whole) * kArms;
  const auto arm = std::min<size_t>(static_cast<size_t>(place), kArms - 1);
  const auto share = static_cast<float>(place - static_cast<double>(arm));
  const float* low = table_.data() + arm * count();
  const float* high = low + count();
  for (size_t j = 0; j < count(); ++j) out[j] = low[j] + share * (high[j] - low[j]);
  return static_cast<int64_t>(whole) - reach_ + 1;
}

}  // namespace amae
