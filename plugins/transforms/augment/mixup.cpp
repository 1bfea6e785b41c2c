#include "mixup.h"

#include <vector>

#include "../common/checks.h"
#include "../common/mixing.h"

namespace amae {

Spec Mixup::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "mixup", {Domain::audio, Domain::iq, Domain::spectrogram});
  return input;
}

void Mixup::apply(Batch& batch, const Stage& stage) const {
  std::vector<Mix> mixes;
  const std::vector<int64_t> alike(static_cast<size_t>(batch.size()), 0);  // one class for all: any partner will do
  for (int64_t item = 0; item < batch.size(); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    Mix mix;
    if (draw.chance(options_.p)) {
      mix.partner = partner_of(item, alike, draw);
      const double share = draw.beta(options_.alpha, options_.alpha);
      mix.own = mix.label = share;
      mix.other = 1 - share;
    }
    mixes.push_back(mix);
  }
  mix_items(batch, mixes);
}

}  // namespace amae
