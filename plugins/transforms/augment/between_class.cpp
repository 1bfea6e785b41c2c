#include "between_class.h"

#include <algorithm>
#include <cmath>

#include "../common/checks.h"
#include "../common/mixing.h"

namespace amae {
namespace {

constexpr double kFloorDb = -80;

/// Largest power of a frame of x [channels, n]: sum over a spectrogram's rows, mean square over audio's samples.
double peak_power_of_spectrogram(const float* x, int64_t rows, int64_t frames) {
  std::vector<float> power(static_cast<size_t>(frames), 0.0F);
  for (int64_t row = 0; row < rows; ++row, x += frames) {
    for (int64_t t = 0; t < frames; ++t) power[t] += x[t];
  }
  return frames == 0 ? 0 : static_cast<double>(*std::max_element(power.begin(), power.end()));
}

double peak_power_of_audio(const float* x, int64_t channels, int64_t n) {
  constexpr int64_t kFrame = 4096, kHop = 2048;
  double peak = 0;
  for (int64_t start = 0; start < n; start += kHop) {
    const int64_t length = std::min(kFrame, n - start);
    double sum = 0;
    for (int64_t c = 0; c < channels; ++c) {
      float part = 0;
      for (int64_t i = 0; i < length; ++i) part += x[c * n + start + i] * x[c * n + start + i];
      sum += static_cast<double>(part);
    }
    peak = std::max(peak, sum / static_cast<double>(length * channels));
    if (start + kFrame >= n) break;
  }
  return peak;
}

}  // namespace

std::vector<double> BetweenClass::peak_levels_db(const at::Tensor& x) {
  const at::Tensor values = plain(x);
  const Rows shape(values);
  std::vector<double> levels;
  for (int64_t item = 0; item < shape.items; ++item) {
    const float* at = values.const_data_ptr<float>() + item * shape.item_size();
    const double power = x.dim() == 4 ? peak_power_of_spectrogram(at, shape.rows, shape.length)
                                      : peak_power_of_audio(at, shape.rows, shape.length);
    levels.push_back(std::max(kFloorDb, 10 * std::log10(power)));
  }
  return levels;
}

Spec BetweenClass::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "between_class", {Domain::audio, Domain::spectrogram});
  require_level(input, "between_class", {Level::power});
  return input;
}

void BetweenClass::apply(Batch& batch, const Stage& stage) const {
  const bool off = is_off(stage, options_.off_last);
  const std::vector<double> level_db = off ? std::vector<double>() : peak_levels_db(batch.x);
  const std::vector<int64_t> classes = main_classes(batch.y, batch.size());
  std::vector<Mix> mixes(static_cast<size_t>(batch.size()));
  for (int64_t item = 0; item < batch.size() && !off; ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    Mix& mix = mixes[item];
    mix.partner = partner_of(item, classes, draw);
    if (mix.partner < 0) continue;
    const double r = draw.uniform();
    const double louder = std::pow(10.0, (level_db[item] - level_db[mix.partner]) / 20);
    const double t = r / (r + louder * (1 - r));  // the header's formula, safe at r = 0
    const double power = t * t + (1 - t) * (1 - t);
    mix.label = r;
    mix.own = batch.x.dim() == 4 ? t * t / power : t / std::sqrt(power);
    mix.other = batch.x.dim() == 4 ? (1 - t) * (1 - t) / power : (1 - t) / std::sqrt(power);
  }
  if (!off) mix_items(batch, mixes);
  if (!batch.y.defined() || options_.label_smoothing == 0) return;
  at::Tensor y = batch.y.clone(at::MemoryFormat::Contiguous);
  const auto spread =
      static_cast<float>(options_.label_smoothing / static_cast<double>(std::max<int64_t>(1, y.size(1))));
  for (int64_t item = 0; item < batch.size(); ++item) {
    if (mixes[item].partner >= 0) continue;
    float* row = y.mutable_data_ptr<float>() + item * y.size(1);
    for (int64_t k = 0; k < y.size(1); ++k) row[k] = row[k] * static_cast<float>(1 - options_.label_smoothing) + spread;
  }
  batch.y = y;
}

}  // namespace amae
