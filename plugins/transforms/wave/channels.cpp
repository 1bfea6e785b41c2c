#include "channels.h"

#include <utility>

#include "../common/checks.h"

namespace amae {

void ChannelsOptions::check() const {
  if (count > 0 && rule != "keep") {
    throw option_error("count", fmt::format("got {} with rule {}, expected 0; only rule keep counts", count, rule));
  }
}

Channels::Channels(ChannelsOptions options) : options_(std::move(options)) {}

void Channels::require_count(int64_t channels) const {
  if (options_.count > 0 && channels != options_.count) {
    throw input_error("channels", fmt::format("got {} channel(s), expected {}; rule mono or first takes any number",
                                              channels, options_.count));
  }
}

Spec Channels::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "channels", {Domain::audio});
  Spec out = input;
  if (options_.rule != "keep") {
    out.shape[0] = 1;
  } else if (input.shape[0] >= 0) {
    require_count(input.shape[0]);
  } else if (options_.count > 0) {
    out.shape[0] = options_.count;
  }
  return out;
}

void Channels::apply(Batch& batch, const Stage& /*stage*/) const {
  const int64_t channels = batch.x.size(1);
  require_count(channels);
  if (options_.rule == "keep" || channels == 1) return;
  batch.x = options_.rule == "mono" ? batch.x.mean(1, /*keepdim=*/true) : batch.x.narrow(1, 0, 1).contiguous();
}

}  // namespace amae
