// Transform `time_stretch`: a clip made longer or shorter at its own pitch.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/options.h"
#include "perturbation.h"

namespace amae {

struct TimeStretchOptions {
  std::vector<double> factor = {0.8, 1.25};
  double window = 0.064;
  std::string pad = "tile";
  double p = 1;

  void describe(Fields& f) {
    f.add("factor", factor, "[lowest, highest] tempo; above 1 is faster, as torchaudio's rate").range(0.25, 4);
    f.add("window", window,
          "of the phase vocoder, taken as the nearest power of two samples; short ones keep attacks "
          "sharp, long ones keep low tones apart")
        .unit("s")
        .range(0.002, 1);
    f.add("pad", pad, "what follows a clip that has become shorter: zero or tile (the clip again)")
        .choices({"zero", "tile"});
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// Audio x [B, C, N] -> the first N samples of stretch(x, s), see vocoder.h, s ~ U(factor).
/// Throws InputError when the rate is unknown.
class TimeStretch final : public Perturbation {
 public:
  explicit TimeStretch(TimeStretchOptions options)
      : Perturbation("time_stretch", options.p), options_(std::move(options)) {}

 protected:
  [[nodiscard]] at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const override;

 private:
  TimeStretchOptions options_;
};

}  // namespace amae
