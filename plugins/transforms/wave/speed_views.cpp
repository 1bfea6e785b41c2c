#include "speed_views.h"

#include <cmath>
#include <cstring>

#include "../common/checks.h"

namespace amae {

std::pair<int64_t, int64_t> nearest_fraction(double value, int64_t limit) {
  int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  for (double rest = value;;) {
    const auto whole = static_cast<int64_t>(std::floor(rest));
    if (whole * q1 + q0 > limit) {
      // The best one is the last convergent or the semiconvergent that still fits.
      const int64_t k = (limit - q0) / q1;
      const int64_t ps = k * p1 + p0, qs = k * q1 + q0;
      const auto miss = [value](int64_t p, int64_t q) {
        return std::abs(static_cast<double>(p) / static_cast<double>(q) - value);
      };
      return miss(ps, qs) < miss(p1, q1) ? std::pair{ps, qs} : std::pair{p1, q1};
    }
    p0 = std::exchange(p1, whole * p1 + p0);
    q0 = std::exchange(q1, whole * q1 + q0);
    const double left = rest - static_cast<double>(whole);
    if (left < 1e-12 || std::abs(static_cast<double>(p1) / static_cast<double>(q1) - value) < 1e-12) return {p1, q1};
    rest = 1 / left;
  }
}

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
