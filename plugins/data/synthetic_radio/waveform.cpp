#include "waveform.h"

#include <cmath>
#include <numbers>

namespace amae {
namespace {

/// Four sums side by side, which the compiler turns into one vector.
float dot(const float* a, const float* b, size_t count) {
  float sums[4] = {0, 0, 0, 0};
  size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    for (size_t lane = 0; lane < 4; ++lane) sums[lane] += a[k + lane] * b[k + lane];
  }
  for (; k < count; ++k) sums[0] += a[k] * b[k];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

void shape(const Pulse& pulse, std::span<const float> symbols, std::span<const double> times, double delay,
           std::vector<float>& out) {
  std::vector<float> weights(pulse.count());
  for (size_t n = 0; n < times.size(); ++n) {
    const int64_t first = pulse.weights(times[n] - delay, weights.data());
    out[n] = dot(weights.data(), symbols.data() + first, weights.size());
  }
}

void modulate_phase(const Pulse& phase_pulse, double index, double start, std::span<const float> symbols,
                    std::span<const double> times, Iq& out) {
  std::vector<double> before(symbols.size() + 1);  // sum of the symbols before each
  for (size_t k = 0; k < symbols.size(); ++k) before[k + 1] = before[k] + static_cast<double>(symbols[k]);
  std::vector<float> weights(phase_pulse.count());
  for (size_t n = 0; n < times.size(); ++n) {
    const int64_t first = phase_pulse.weights(times[n], weights.data());
    const double sum = before[static_cast<size_t>(first)] +
                       static_cast<double>(dot(weights.data(), symbols.data() + first, weights.size()));
    unit_phasor(start + std::numbers::pi * index * sum, out.i[n], out.q[n]);
  }
}

void unit_phasor(double phase, float& i, float& q) {
  constexpr double kWhole = 2 * std::numbers::pi;
  const auto reduced = static_cast<float>(phase - kWhole * std::floor(phase / kWhole + 0.5));  // a float is best near 0
  i = std::cos(reduced);
  q = std::sin(reduced);
}

}  // namespace amae
