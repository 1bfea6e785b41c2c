#include "clip.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "../common/checks.h"

namespace amae {
namespace {

/// The level that floor(share * M) of the M values |x| > 0 exceed; 0 for silence.
float level_exceeded_by(double share, const at::Tensor& x) {
  std::vector<float> sizes;
  sizes.reserve(static_cast<size_t>(x.numel()));
  const float* from = x.const_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    if (from[i] != 0) sizes.push_back(std::abs(from[i]));
  }
  if (sizes.empty()) return 0;
  const auto place = sizes.begin() + static_cast<int64_t>(share * static_cast<double>(sizes.size()));
  std::nth_element(sizes.begin(), place, sizes.end(), std::greater<>());
  return *place;
}

}  // namespace

void ClipOptions::check() const {
  if (kinds.empty()) throw option_error("kinds", "got none, expected hard, soft or both");
  require_interval("share", share);
}

at::Tensor Clip::perturb(const at::Tensor& x, double /*rate_hz*/, Draw& draw) const {
  const std::string& kind = options_.kinds[draw.integer(0, static_cast<int64_t>(options_.kinds.size()))];
  const float level = level_exceeded_by(draw.uniform(options_.share[0], options_.share[1]), x);
  if (level == 0) return x;
  return kind == "hard" ? x.clamp(-level, level) : (x / level).tanh() * level;
}

}  // namespace amae
