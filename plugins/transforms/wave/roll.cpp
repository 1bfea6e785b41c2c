#include "roll.h"

#include <cmath>
#include <cstring>

#include "../common/checks.h"

namespace amae {
namespace {

/// shift_of(item) gives s in 0..N-1.
template <class ShiftOf>
at::Tensor rolled(const at::Tensor& batch_x, ShiftOf shift_of) {
  const at::Tensor x = plain(batch_x);
  const Rows shape(x);
  at::Tensor out = at::empty(x.sizes(), x.options());
  const int64_t n = shape.length;
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t item = 0; item < shape.items; ++item) {
    const int64_t shift = shift_of(item);
    for (int64_t row = 0; row < shape.rows; ++row, from += n, to += n) {
      std::memcpy(to + shift, from, sizeof(float) * static_cast<size_t>(n - shift));
      std::memcpy(to, from + n - shift, sizeof(float) * static_cast<size_t>(shift));
    }
  }
  return out;
}

}  // namespace

Spec Roll::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "roll", {Domain::audio, Domain::iq, Domain::spectrogram});
  return input;
}

void Roll::apply(Batch& batch, const Stage& stage) const {
  const auto reach = static_cast<int64_t>(std::ceil(options_.max_fraction * static_cast<double>(batch.x.size(-1))));
  if (reach <= 1) return;
  batch.x = rolled(batch.x, [&](int64_t item) { return stage.draw(batch.ids[item]).integer(0, reach); });
}

void Roll::apply_eval(Batch& batch, int64_t view, int64_t views) const {
  const double share = options_.max_fraction * static_cast<double>(view) / static_cast<double>(views);
  const auto shift = static_cast<int64_t>(std::floor(share * static_cast<double>(batch.x.size(-1))));
  if (shift > 0) batch.x = rolled(batch.x, [&](int64_t) { return shift; });
}

}  // namespace amae
