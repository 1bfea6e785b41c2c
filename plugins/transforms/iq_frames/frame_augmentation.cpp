#include "frame_augmentation.h"

namespace amae {

Spec FrameAugmentation::output(const Spec& input, Mode mode) const {
  require_iq(input, name_);
  if (mode == Mode::train) check_rate(input.rate_hz);
  return input;
}

void FrameAugmentation::apply(Batch& batch, const Stage& stage) const {
  check_rate(batch.rate_hz);
  at::Tensor out = plain_iq(batch.x, name_).clone();
  const int64_t n = out.size(2);
  for (int64_t item = 0; item < out.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    float* x = out.mutable_data_ptr<float>() + item * 2 * n;
    if (draw.chance(p_)) change({x, x + n, n, batch.rate_hz}, draw);
  }
  batch.x = out;
}

}  // namespace amae
