// What the transforms of this folder share: complex baseband frames x[n] = I[n] + i Q[n], as rows I and Q of x [B, 2,
// N].
//
// Letters: B batch, N samples.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "amae/signal.h"

namespace amae {

/// One frame in place.
struct IqFrame {
  float* i = nullptr;
  float* q = nullptr;
  int64_t n = 0;
  double rate_hz = 0;  ///< 0: unknown
};

/// Throws InputError (field "input") unless `input` is IQ of two rows; `transform` is whose message it is.
void require_iq(const Spec& input, const std::string& transform);

/// x [B, 2, N] as the loops want it: see plain().
[[nodiscard]] at::Tensor plain_iq(const at::Tensor& x, const std::string& transform);

/// x[n] <- x[n] e^(i (phase + step n)), angles in radians, computed in float64.
void turn(const IqFrame& frame, double phase, double step);

}  // namespace amae
