#include <algorithm>
#include <cmath>
#include <numbers>

#include "rml2016a.h"

namespace amae {
namespace {

constexpr double kRateHz = 200e3;
constexpr double kRadians = 2 * std::numbers::pi;

/// A value that takes normal steps and stays within its bounds.
double wander(double value, double step, double bound, Draw& draw) {
  return std::clamp(value + step * draw.normal(), -bound, bound);
}

}  // namespace

Rml2016aChannel::Rml2016aChannel(uint64_t seed) : time_(kSamples), phase_(kSamples), noise_(kSamples) {
  constexpr std::array<double, 3> kGains = {1, 0.8, 0.3}, kDelays = {0, 0.9, 1.7};
  constexpr double kDoppler = kRadians * 1.0 / kRateHz;
  constexpr double kRicianK = 4;
  Draw draw(seed, 0, 0, 0);
  double time = 0, phase = 0, rate_hz = 0, carrier_hz = 0;
  for (size_t n = 0; n < kSamples; ++n) {
    time_[n] = time;
    phase_[n] = phase;
    rate_hz = wander(rate_hz, 0.01, 50, draw);
    carrier_hz = wander(carrier_hz, 0.01, 500, draw);
    time += 1 + rate_hz / kRateHz;
    phase += kRadians * carrier_hz / kRateHz;
  }
  Iq pool(8192);
  fill_gaussian(draw, 1, pool);
  for (size_t n = 0; n < kSamples; ++n) {
    const size_t at = draw.bits() % pool.size();
    noise_.i[n] = pool.i[at];
    noise_.q[n] = pool.q[at];
  }
  for (size_t p = 0; p < paths_.size(); ++p) {
    Path& path = paths_[p];
    const double k = p == 0 ? kRicianK : 0;
    path.gain = kGains[p];
    path.delay = kDelays[p];
    path.steady = std::sqrt(k / (k + 1));
    path.random = std::sqrt(1 / (k + 1));
    path.steady_doppler = kDoppler * std::cos(draw.uniform(0, kRadians));
    path.steady_phase = draw.uniform(0, kRadians);
    const double turn = draw.uniform(-std::numbers::pi, std::numbers::pi);
    for (size_t s = 0; s < path.i_phase.size(); ++s) {  // directions spread around the circle
      const double angle = (kRadians * static_cast<double>(s + 1) - std::numbers::pi + turn) / (4.0 * 8);
      path.i_doppler[s] = kDoppler * std::cos(angle);
      path.q_doppler[s] = kDoppler * std::sin(angle);
      path.i_phase[s] = draw.uniform(0, kRadians);
      path.q_phase[s] = draw.uniform(0, kRadians);
    }
  }
}

Iq Rml2016aChannel::fading(size_t n) const {
  const auto t = static_cast<double>(n);
  Iq taps(kTaps);
  for (const Path& path : paths_) {
    double i = path.steady * std::cos(path.steady_doppler * t + path.steady_phase);
    double q = path.steady * std::sin(path.steady_doppler * t + path.steady_phase);
    const double each = path.random / std::sqrt(static_cast<double>(path.i_phase.size()));  // of mean power 1 in all
    for (size_t s = 0; s < path.i_phase.size(); ++s) {
      i += each * std::cos(path.i_doppler[s] * t + path.i_phase[s]);
      q += each * std::cos(path.q_doppler[s] * t + path.q_phase[s]);
    }
    for (size_t k = 0; k < kTaps; ++k) {
      const double x = std::numbers::pi * (static_cast<double>(k) - path.delay);
      const double tap = path.gain * (x == 0 ? 1 : std::sin(x) / x);
      taps.i[k] += static_cast<float>(tap * i);
      taps.q[k] += static_cast<float>(tap * q);
    }
  }
  return taps;
}

}  // namespace amae
