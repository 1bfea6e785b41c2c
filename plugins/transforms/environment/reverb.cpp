#include "reverb.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"
#include "../common/convolve.h"
#include "../common/level.h"
#include "room_response.h"

namespace amae {

void ReverbOptions::check() const {
  require_interval("rt60", rt60);
  require_interval("pre_delay", pre_delay);
  require_interval("wet_db", wet_db);
}

Reverb::Reverb(ReverbOptions options) : options_(std::move(options)) {
  if (!options_.folder.empty()) folder_.emplace(options_.folder, Downmix::first, options_.memory);
}

Spec Reverb::output(const Spec& input, Mode mode) const {
  require_domain(input, "reverb", {Domain::audio});
  if (mode == Mode::train && folder_) {
    const SoundFolder& folder = folder_->get();
    if (input.rate_hz > 0) folder.require_rate(input.rate_hz);
  }
  return input;
}

std::vector<float> Reverb::response(double rate_hz, Draw& draw) const {
  const double wet_db = draw.uniform(options_.wet_db[0], options_.wet_db[1]);
  if (folder_) {
    const SoundFolder& folder = folder_->get();
    return recorded_response(*folder.recording(draw.integer(0, folder.size()), rate_hz), rate_hz, wet_db);
  }
  const double rt60_s = options_.rt60[0] * std::pow(options_.rt60[1] / options_.rt60[0], draw.uniform());
  const double pre_delay_s = draw.uniform(options_.pre_delay[0], options_.pre_delay[1]);
  return synthetic_response(rate_hz, rt60_s, pre_delay_s, wet_db, draw);
}

void Reverb::apply(Batch& batch, const Stage& stage) const {
  if (!(batch.rate_hz > 0)) throw input_error("reverb", "got an unknown rate, expected samples per second");
  at::Tensor out = plain(batch.x).clone();
  TORCH_CHECK(out.dim() == 3, "reverb: x must be [B, C, N]");
  const int64_t size = Rows(out).item_size();
  for (int64_t item = 0; item < out.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    float* x = out.mutable_data_ptr<float>() + item * size;
    const double before = mean_square(x, size);
    if (before == 0) continue;
    const at::Tensor wet = convolve(out[item], response(batch.rate_hz, draw));
    const float* y = wet.const_data_ptr<float>();
    const double after = mean_square(y, size);
    const auto factor = options_.keep_level && after > 0 ? static_cast<float>(std::sqrt(before / after)) : 1.0F;
    for (int64_t i = 0; i < size; ++i) x[i] = factor * y[i];
  }
  batch.x = out;
}

}  // namespace amae
