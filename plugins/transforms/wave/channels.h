// Transform `channels`: a rule for the number of audio channels.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct ChannelsOptions {
  std::string rule = "mono";
  int64_t count = 0;

  void describe(Fields& f) {
    f.add("rule", rule, "mono: mean of all; first: channel 0; keep: leave them").choices({"mono", "first", "keep"});
    f.add("count", count, "with rule keep: refuse any other number of channels; 0 takes all")
        .unit("channels")
        .range(0, 64);
  }
  void check() const;
};

/// Audio x [B, C, N] -> [B, 1, N] (mono, first) or unchanged (keep). Throws InputError when `count` is not met.
class Channels final : public Transform {
 public:
  explicit Channels(ChannelsOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  void require_count(int64_t channels) const;
  ChannelsOptions options_;
};

}  // namespace amae
