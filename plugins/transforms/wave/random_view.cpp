#include "random_view.h"

#include <cstring>

#include "../common/checks.h"

namespace amae {

Spec RandomView::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "random_view", {Domain::audio, Domain::spectrogram});
  Spec out = input;
  out.shape[0] = 1;
  return out;
}

void RandomView::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  const int64_t channels = x.size(1), size = x.numel() / std::max<int64_t>(1, x.size(0) * channels);
  if (channels == 1) return;
  auto sizes = x.sizes().vec();
  sizes[1] = 1;
  at::Tensor out = at::empty(sizes, x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {
    const int64_t channel = stage.draw(batch.ids[item]).integer(0, channels);
    std::memcpy(out.mutable_data_ptr<float>() + item * size,
                x.const_data_ptr<float>() + (item * channels + channel) * size,
                sizeof(float) * static_cast<size_t>(size));
  }
  batch.x = out;
}

void RandomView::apply_eval(Batch& batch, int64_t /*view*/, int64_t /*views*/) const {
  batch.x = batch.x.narrow(1, 0, 1).contiguous();
}

}  // namespace amae
