#include "gain.h"

#include <cmath>

#include "../common/checks.h"

namespace amae {

Spec Gain::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "gain", {Domain::audio, Domain::iq, Domain::spectrogram});
  require_level(input, "gain", {Level::power});
  return input;
}

void Gain::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  const int64_t size = Rows(x).item_size();
  const double decade_db = x.dim() == 4 ? 10 : 20;  // power or amplitude
  at::Tensor out = at::empty(x.sizes(), x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    const bool acts = draw.chance(options_.p);
    const auto factor =
        acts ? static_cast<float>(std::pow(10.0, draw.uniform(-options_.max_db, options_.max_db) / decade_db)) : 1.0F;
    const float* from = x.const_data_ptr<float>() + item * size;
    float* to = out.mutable_data_ptr<float>() + item * size;
    for (int64_t i = 0; i < size; ++i) to[i] = factor * from[i];
  }
  batch.x = out;
}

}  // namespace amae
