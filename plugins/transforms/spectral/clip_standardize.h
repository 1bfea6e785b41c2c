// Transform `clip_standardize`: mean 0 and deviation 1 of each clip by itself.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct ClipStandardizeOptions {
  std::string deviation = "population";
  double eps = 1e-8;

  void describe(Fields& f) {
    f.add("deviation", deviation, "population: root of the mean square; unbiased: divided by one value less")
        .choices({"population", "unbiased"});
    f.add("eps", eps, "added to the deviation").range(1e-12, 1);
  }
};

/// (x - mean) / (deviation + eps), same shape, with mean and deviation over all values of the clip (channels, bins and
/// frames), summed in float64. Any domain. The level of the clip is lost; `standardize` keeps it. A clip of one value
/// throughout becomes 0.
///
/// Source: AudioMAE++ (arXiv 2507.10464), whose training front end takes the population's deviation and whose released
/// front end for inference the unbiased one.
class ClipStandardize final : public Transform {
 public:
  explicit ClipStandardize(ClipStandardizeOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  ClipStandardizeOptions options_;
};

}  // namespace amae
