#include "cutmix.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../common/checks.h"
#include "../common/mixing.h"
#include "rectangle.h"

namespace amae {

Spec Cutmix::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "cutmix", {Domain::spectrogram});
  return input;
}

void Cutmix::apply(Batch& batch, const Stage& stage) const {
  if (is_off(stage, options_.off_last)) return;
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 4, "cutmix: x must be [B, C, F, T]");
  at::Tensor out = x.clone();
  const int64_t items = x.size(0), channels = x.size(1), bins = x.size(2), frames = x.size(3);
  const std::vector<int64_t> alike(static_cast<size_t>(items), 0);  // one class for all: any partner will do
  std::vector<Mix> mixes(static_cast<size_t>(items));
  for (int64_t item = 0; item < items && bins * frames > 0; ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    const int64_t partner = partner_of(item, alike, draw);
    if (partner < 0) continue;
    const double share = draw.beta(options_.alpha, options_.alpha);
    const bool all_bins = options_.patch == "time";
    const double side = all_bins ? share : std::sqrt(share);
    const Rectangle patch =
        placed(all_bins ? bins : static_cast<int64_t>(std::llround(side * static_cast<double>(bins))),
               std::llround(side * static_cast<double>(frames)), bins, frames, draw);
    for (int64_t row = 0; row < channels * patch.bins; ++row) {
      const int64_t channel = row / patch.bins, bin = patch.bin + row % patch.bins;
      const auto start = [&](int64_t of) { return ((of * channels + channel) * bins + bin) * frames + patch.frame; };
      std::copy_n(x.const_data_ptr<float>() + start(partner), patch.frames,
                  out.mutable_data_ptr<float>() + start(item));
    }
    mixes[item].partner = partner;
    mixes[item].label = 1 - static_cast<double>(patch.bins * patch.frames) / static_cast<double>(bins * frames);
  }
  batch.x = out;
  if (batch.y.defined()) batch.y = mix_labels(batch.y, mixes);
}

}  // namespace amae
