#include "iq_scale.h"

#include <algorithm>
#include <cmath>

#include "../common/checks.h"
#include "iq_frame.h"

namespace amae {
namespace {

/// a of the header for a frame i[0..n), q[0..n), in float64: squares of the smallest floats would vanish in float32.
double magnitude(const float* i, const float* q, int64_t n, const std::string& norm) {
  double sum = 0, peak = 0;
  for (int64_t k = 0; k < n; ++k) {
    const double power =
        static_cast<double>(i[k]) * static_cast<double>(i[k]) + static_cast<double>(q[k]) * static_cast<double>(q[k]);
    sum += norm == "l1" ? std::sqrt(power) : power;
    peak = std::max(peak, power);
  }
  if (norm == "peak") return std::sqrt(peak);
  const double mean = sum / static_cast<double>(std::max<int64_t>(1, n));
  return norm == "l1" ? mean : std::sqrt(mean);
}

}  // namespace

Spec IqScale::output(const Spec& input, Mode /*mode*/) const {
  require_iq(input, "iq_scale");
  return input;
}

void IqScale::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain_iq(batch.x, "iq_scale");
  const int64_t n = x.size(2);
  at::Tensor out = at::empty(x.sizes(), x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {
    const float* from = x.const_data_ptr<float>() + item * 2 * n;
    float* to = out.mutable_data_ptr<float>() + item * 2 * n;
    const double size = magnitude(from, from + n, n, options_.norm);
    const double factor = size > 0 ? 1 / size : 0;
    for (int64_t k = 0; k < 2 * n; ++k) to[k] = static_cast<float>(from[k] * factor);
  }
  batch.x = out;
}

}  // namespace amae
