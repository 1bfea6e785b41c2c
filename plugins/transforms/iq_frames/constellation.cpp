#include "constellation.h"

#include <algorithm>
#include <cmath>

#include "../common/checks.h"
#include "iq_frame.h"

namespace amae {

Spec ConstellationImage::output(const Spec& input, Mode /*mode*/) const {
  require_iq(input, "constellation");
  return {Domain::spectrogram, {1, options_.bins, options_.bins}, 0, Level::other};
}

void ConstellationImage::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain_iq(batch.x, "constellation");
  const int64_t n = x.size(2), bins = options_.bins;
  const double cells = static_cast<double>(bins), per_unit = cells / (2 * options_.range);
  at::Tensor out = at::zeros({x.size(0), 1, bins, bins}, x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {
    const float* i = x.const_data_ptr<float>() + item * 2 * n;
    const float* q = i + n;
    float* counts = out.mutable_data_ptr<float>() + item * bins * bins;
    for (int64_t k = 0; k < n; ++k) {
      const double column = (static_cast<double>(i[k]) + options_.range) * per_unit;
      const double row = (static_cast<double>(q[k]) + options_.range) * per_unit;
      if (!(column >= 0 && column < cells && row >= 0 && row < cells)) continue;
      counts[static_cast<int64_t>(row) * bins + static_cast<int64_t>(column)] += 1;
    }
  }
  batch.x = options_.scale == "log" ? out.log1p() : out / static_cast<double>(std::max<int64_t>(1, n));
  batch.rate_hz = 0;
}

}  // namespace amae
