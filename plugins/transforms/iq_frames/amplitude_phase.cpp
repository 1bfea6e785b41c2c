#include "amplitude_phase.h"

#include <cmath>
#include <numbers>

#include "../common/checks.h"
#include "iq_frame.h"

namespace amae {

Spec AmplitudePhase::output(const Spec& input, Mode /*mode*/) const {
  require_iq(input, "amplitude_phase");
  return {Domain::spectrogram, {2, 1, input.shape[1]}, input.rate_hz, Level::other};
}

void AmplitudePhase::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain_iq(batch.x, "amplitude_phase");
  const int64_t n = x.size(2);
  at::Tensor out = at::empty({x.size(0), 2, 1, n}, x.options());
  for (int64_t item = 0; item < x.size(0); ++item) {
    const float* i = x.const_data_ptr<float>() + item * 2 * n;
    const float* q = i + n;
    float* amplitude = out.mutable_data_ptr<float>() + item * 2 * n;
    float* phase = amplitude + n;
    for (int64_t k = 0; k < n; ++k) {
      amplitude[k] = std::hypot(i[k], q[k]);
      // + 0: -0 is 0, else the phase of (-0, 0) would be pi
      phase[k] = std::atan2(q[k] + 0.0F, i[k] + 0.0F) / std::numbers::pi_v<float>;
    }
  }
  batch.x = out;
}

}  // namespace amae
