#include "clip_standardize.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"

namespace amae {

ClipStandardize::ClipStandardize(ClipStandardizeOptions options) : options_(std::move(options)) {}

Spec ClipStandardize::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "clip_standardize", {Domain::audio, Domain::iq, Domain::spectrogram});
  Spec out = input;
  out.level = Level::other;
  return out;
}

void ClipStandardize::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain(batch.x);
  const int64_t count = Rows(x).item_size();
  const int64_t divisor = options_.deviation == "unbiased" ? count - 1 : count;
  at::Tensor out = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t item = 0; item < x.size(0); ++item, from += count, to += count) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(from[i]);
    const double mean = count > 0 ? sum / static_cast<double>(count) : 0;
    for (int64_t i = 0; i < count; ++i) {
      const double difference = static_cast<double>(from[i]) - mean;
      squares += difference * difference;
    }
    // An unbiased deviation of one value is 0 / 0; there is nothing to divide then.
    const double deviation = divisor > 0 ? std::sqrt(squares / static_cast<double>(divisor)) : 0;
    const double scale = 1 / (deviation + options_.eps);
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>((static_cast<double>(from[i]) - mean) * scale);
  }
  batch.x = out;
}

}  // namespace amae
