#include "spec_augment.h"

#include <algorithm>

#include "../common/checks.h"

namespace amae {
namespace {

void require_width(const char* field, int64_t width, int64_t size) {
  if (size >= 0 && width > size) {
    throw InputError("TRANSFORM-INPUT", "", field,
                     fmt::format("got {}, expected at most {}, all that arrives", width, size));
  }
}

}  // namespace

Spec SpecAugment::output(const Spec& input, Mode mode) const {
  require_domain(input, "spec_augment", {Domain::spectrogram});
  require_width("freq_width", options_.freq_width, input.shape[1]);
  // In evaluation nothing is masked, and a clip may be of any length there.
  if (mode == Mode::train) require_width("time_width", options_.time_width, input.shape[2]);
  return input;
}

void SpecAugment::apply(Batch& batch, const Stage& stage) const {
  at::Tensor out = plain(batch.x).clone();
  TORCH_CHECK(out.dim() == 4, "spec_augment: x must be [B, C, F, T]");
  const int64_t channels = out.size(1), bins = out.size(2), frames = out.size(3);
  const auto fill = static_cast<float>(options_.fill);
  for (int64_t item = 0; item < out.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    float* x = out.mutable_data_ptr<float>() + item * channels * bins * frames;
    for (int64_t mask = 0; mask < options_.freq_masks; ++mask) {
      const int64_t width = draw.integer(0, std::min(options_.freq_width, bins) + 1);
      const int64_t start = draw.integer(0, bins - width + 1);
      for (int64_t channel = 0; channel < channels; ++channel) {
        std::fill_n(x + (channel * bins + start) * frames, width * frames, fill);
      }
    }
    for (int64_t mask = 0; mask < options_.time_masks; ++mask) {
      const int64_t width = draw.integer(0, std::min(options_.time_width, frames) + 1);
      const int64_t start = draw.integer(0, frames - width + 1);
      for (int64_t row = 0; row < channels * bins; ++row) std::fill_n(x + row * frames + start, width, fill);
    }
  }
  batch.x = out;
}

}  // namespace amae
