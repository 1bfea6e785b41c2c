#include "time_stretch.h"

#include <algorithm>
#include <cmath>

#include "../common/checks.h"
#include "vocoder.h"

namespace amae {

void TimeStretchOptions::check() const { require_interval("factor", factor); }

at::Tensor TimeStretch::perturb(const at::Tensor& x, double rate_hz, Draw& draw) const {
  const double factor = draw.uniform(options_.factor[0], options_.factor[1]);
  const int64_t n = x.size(1), whole = std::llround(static_cast<double>(n) / factor);
  const at::Tensor y = stretch_to(x, factor, std::min(n, whole), vocoder_size(options_.window, known(rate_hz)));
  return fitted(y, n, options_.pad);
}

}  // namespace amae
