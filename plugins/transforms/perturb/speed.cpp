#include "speed.h"

#include <algorithm>

#include "../common/checks.h"
#include "../common/sinc_resampler.h"

namespace amae {

void SpeedOptions::check() const { require_interval("factor", factor); }

at::Tensor played_at(const at::Tensor& x, int64_t p, int64_t q, int64_t limit) {
  if (p == q) return x.narrow(1, 0, std::min(limit, x.size(1))).contiguous();
  const SincResampler resampler(p, q, kBriskKernel);
  const int64_t n = x.size(1), length = std::min(limit, resampler.length(n));
  at::Tensor y = at::empty({x.size(0), length}, x.options());
  for (int64_t c = 0; c < x.size(0); ++c) {
    resampler.run(x.const_data_ptr<float>() + c * n, n, y.mutable_data_ptr<float>() + c * length, length);
  }
  return y;
}

at::Tensor Speed::perturb(const at::Tensor& x, double /*rate_hz*/, Draw& draw) const {
  const auto [p, q] = nearest_fraction(draw.uniform(options_.factor[0], options_.factor[1]), 100);
  return fitted(played_at(x, p, q, x.size(1)), x.size(1), options_.pad);
}

}  // namespace amae
