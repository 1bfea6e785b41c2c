// Transform `iq_scale`: every frame gets the same size.
#pragma once

#include <string>
#include <utility>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct IqScaleOptions {
  std::string norm = "rms";

  void describe(Fields& f) {
    f.add("norm", norm, "what becomes 1: the root mean square, the mean (l1) or the largest (peak) of |x|")
        .choices({"rms", "l1", "peak"});
  }
};

/// IQ x [B, 2, N] -> x / a, same shape, for each frame by itself, with |x[n]|^2 = I[n]^2 + Q[n]^2 and
///   rms   a = sqrt(mean |x|^2)   unit power
///   l1    a = mean |x|           the frames of RML2016.10a, divided by sum |x|, times N
///   peak  a = max |x|
/// Frames of zeros stay zeros.
class IqScale final : public Transform {
 public:
  explicit IqScale(IqScaleOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  IqScaleOptions options_;
};

}  // namespace amae
