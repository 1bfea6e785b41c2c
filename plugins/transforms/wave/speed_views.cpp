#include "speed_views.h"

#include <cstring>

#include "../common/checks.h"

namespace amae {

void SpeedViewsOptions::check() const {
  if (factors.empty() || factors[0] != 1) {
    throw option_error("factors", fmt::format("got [{}], expected 1 in the first place; evaluation uses the first view",
                                              fmt::join(factors, ", ")));
  }
}

SpeedViews::SpeedViews(SpeedViewsOptions options) : options_(std::move(options)) {
  for (const double factor : options_.factors) {
    const auto [p, q] = nearest_fraction(factor, 1000);
    resamplers_.emplace_back(p, q);
  }
}

Spec SpeedViews::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "speed_views", {Domain::audio});
  if (input.shape[0] != 1) {
    throw input_error("speed_views",
                      fmt::format("got {} channels, expected 1; put channels {{rule: mono}} before it",
                                  input.shape[0] < 0 ? "any number of" : std::to_string(input.shape[0])));
  }
  Spec out = input;
  out.shape[0] = static_cast<int64_t>(options_.factors.size());
  return out;
}

void SpeedViews::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 3 && x.size(1) == 1, "speed_views: x must be [B, 1, N]");
  const int64_t n = x.size(2), views = static_cast<int64_t>(options_.factors.size());
  at::Tensor out = at::empty({x.size(0), views, n}, x.options());
  const auto bytes = [](int64_t count) { return sizeof(float) * static_cast<size_t>(count); };
  for (int64_t item = 0; item < x.size(0); ++item) {
    const float* from = x.const_data_ptr<float>() + item * n;
    for (int64_t view = 0; view < views; ++view) {
      float* to = out.mutable_data_ptr<float>() + (item * views + view) * n;
      if (options_.factors[view] == 1) {
        std::memcpy(to, from, bytes(n));
        continue;
      }
      const int64_t played = std::min(n, resamplers_[view].length(n));
      resamplers_[view].run(from, n, to, played);
      for (int64_t done = played; done < n; done += played)
        std::memcpy(to + done, to, bytes(std::min(played, n - done)));
    }
  }
  batch.x = out;
}

}  // namespace amae
