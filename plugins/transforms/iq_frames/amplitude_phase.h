// Transform `amplitude_phase`: polar instead of rectangular coordinates.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

/// IQ x [B, 2, N] -> [B, 2, 1, N]: channel 0 |x|, channel 1 arg(x) / pi in -1..1 (0 where x = 0). No longer IQ: what
/// turns or shifts a carrier must come before. A picture of one row, so that models see two channels over time.
///
/// Source: Rajendran et al. 2018, "Deep Learning Models for Wireless Signal Classification With Distributed Low-Cost
/// Spectrum Sensors", section III-B; scale the frames with iq_scale before.
class AmplitudePhase final : public Transform {
 public:
  explicit AmplitudePhase(NoOptions /*options*/ = {}) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;
};

}  // namespace amae
