#include "warp.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../common/checks.h"

namespace amae {
namespace {

/// What an output place shows: (1 - part) of place `low` and `part` of place `high`.
struct Place {
  int64_t low = 0, high = 0;
  float part = 0;
};

/// The law in the header for an axis of n places.
std::vector<Place> random_places(int64_t n, double most, Draw& draw) {
  const auto last = static_cast<double>(n - 1);
  const double from = draw.uniform(0.25, 0.75) * last;
  const double to = from + draw.uniform(-most, most) * last;
  std::vector<Place> places(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    const auto at = static_cast<double>(j);
    double shown = at;  // exactly, where nothing moves
    if (to != from) shown = at <= to ? at * from / to : last - (last - at) * (last - from) / (last - to);
    const double low = std::clamp(std::floor(shown), 0.0, last);
    places[j].low = static_cast<int64_t>(low);
    places[j].high = std::min(places[j].low + 1, n - 1);
    places[j].part = static_cast<float>(std::clamp(shown - low, 0.0, 1.0));
  }
  return places;
}

float between(float a, float b, float part) { return (1 - part) * a + part * b; }

}  // namespace

Spec Warp::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "warp", {Domain::spectrogram});
  return input;
}

void Warp::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 4, "warp: x must be [B, C, F, T]");
  const int64_t channels = x.size(1), bins = x.size(2), frames = x.size(3), size = channels * bins * frames;
  at::Tensor out = at::empty(x.sizes(), x.options());
  std::vector<float> row(static_cast<size_t>(frames));
  for (int64_t item = 0; item < x.size(0); ++item) {
    const float* from = x.const_data_ptr<float>() + item * size;
    float* to = out.mutable_data_ptr<float>() + item * size;
    Draw draw = stage.draw(batch.ids[item]);
    if (size == 0 || !draw.chance(options_.p)) {
      std::copy_n(from, size, to);
      continue;
    }
    const std::vector<Place> time = random_places(frames, options_.time, draw);
    const std::vector<Place> frequency = random_places(bins, options_.frequency, draw);
    for (int64_t channel = 0; channel < channels; ++channel, from += bins * frames) {
      for (const Place& bin : frequency) {
        const float *low = from + bin.low * frames, *high = from + bin.high * frames;
        for (int64_t t = 0; t < frames; ++t) row[t] = between(low[t], high[t], bin.part);
        for (const Place& frame : time) *to++ = between(row[frame.low], row[frame.high], frame.part);
      }
    }
  }
  batch.x = out;
}

}  // namespace amae
