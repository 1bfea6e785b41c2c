#include "room_response.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../common/level.h"
#include "../common/normal.h"

namespace amae {
namespace {

/// Scales h[begin, end) so that its energy is `energy`; silence stays.
void set_energy(std::vector<float>& h, int64_t begin, int64_t end, double energy) {
  const double found = mean_square(h.data() + begin, end - begin) * static_cast<double>(end - begin);
  if (!(found > 0)) return;
  const auto factor = static_cast<float>(std::sqrt(energy / found));
  for (int64_t i = begin; i < end; ++i) h[i] *= factor;
}

}  // namespace

std::vector<float> synthetic_response(double rate_hz, double rt60_s, double pre_delay_s, double wet_db, Draw& draw) {
  const int64_t start = std::max<int64_t>(1, std::llround(pre_delay_s * rate_hz));
  const auto length = static_cast<int64_t>(std::ceil(rt60_s * 80 / 60 * rate_hz));
  std::vector<float> h(static_cast<size_t>(start + length), 0.0F);
  add_normal(h.data() + start, length, 1, draw);
  const double fall = std::pow(10.0, -3 / (rt60_s * rate_hz));  // of a sample to the next
  double level = 1;
  for (int64_t i = 0; i < length; ++i, level *= fall) h[start + i] *= static_cast<float>(level);
  set_energy(h, start, start + length, std::pow(10.0, wet_db / 10));
  h[0] = 1;
  return h;
}

std::vector<float> recorded_response(const std::vector<float>& samples, double rate_hz, double wet_db) {
  const auto louder = [](float a, float b) { return std::abs(a) < std::abs(b); };
  const auto peak = std::max_element(samples.begin(), samples.end(), louder);
  if (peak == samples.end() || std::abs(*peak) < 1e-10F) return {1.0F};
  std::vector<float> h(peak, samples.end());
  const auto length = static_cast<int64_t>(h.size());
  const int64_t direct = std::clamp<int64_t>(std::llround(0.0025 * rate_hz), 1, length);
  const auto energy = [&](int64_t begin, int64_t end) {
    return std::inner_product(h.begin() + begin, h.begin() + end, h.begin() + begin, 0.0);
  };
  // A dry recording's noise floor is no reverberation: raised to wet_db it would cover every clip.
  const bool has_tail = energy(direct, length) > 1e-6 * energy(0, direct);
  if (!has_tail) h.resize(static_cast<size_t>(direct));
  set_energy(h, 0, direct, 1);
  if (has_tail) set_energy(h, direct, length, std::pow(10.0, wet_db / 10));
  return h;
}

}  // namespace amae
