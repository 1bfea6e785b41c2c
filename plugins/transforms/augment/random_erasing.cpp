#include "random_erasing.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"
#include "rectangle.h"

namespace amae {
namespace {

Rectangle random_rectangle(int64_t bins, int64_t frames, const RandomErasingOptions& options, Draw& draw) {
  const double area = draw.uniform(options.area[0], options.area[1]);
  const double aspect = options.aspect[0] * std::pow(options.aspect[1] / options.aspect[0], draw.uniform());
  const double height = std::clamp(std::sqrt(area * aspect), area, 1.0);
  const double width = height > 0 ? area / height : 0;
  return placed(std::max<int64_t>(1, std::llround(height * static_cast<double>(bins))),
                std::max<int64_t>(1, std::llround(width * static_cast<double>(frames))), bins, frames, draw);
}

double mean_of(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum / static_cast<double>(n);
}

}  // namespace

void RandomErasingOptions::check() const {
  require_interval("area", area);
  require_interval("aspect", aspect);
}

RandomErasing::RandomErasing(RandomErasingOptions options) : options_(std::move(options)) {}

Spec RandomErasing::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "random_erasing", {Domain::spectrogram});
  return input;
}

void RandomErasing::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 4, "random_erasing: x must be [B, C, F, T]");
  at::Tensor out = x.clone();
  const int64_t channels = x.size(1), bins = x.size(2), frames = x.size(3), size = bins * frames;
  for (int64_t item = 0; item < x.size(0) && size > 0; ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    for (int64_t k = 0; k < options_.count; ++k) {
      const Rectangle hole = random_rectangle(bins, frames, options_, draw);
      for (int64_t channel = 0; channel < channels; ++channel) {
        const float* from = x.const_data_ptr<float>() + (item * channels + channel) * size;
        float* to = out.mutable_data_ptr<float>() + (item * channels + channel) * size;
        const auto mean = options_.fill == "mean" ? static_cast<float>(mean_of(from, size)) : 0.0F;
        for (int64_t f = hole.bin; f < hole.bin + hole.bins; ++f) {
          for (int64_t t = hole.frame; t < hole.frame + hole.frames; ++t) {
            to[f * frames + t] = options_.fill == "noise" ? from[draw.integer(0, size)] : mean;
          }
        }
      }
    }
  }
  batch.x = out;
}

}  // namespace amae
