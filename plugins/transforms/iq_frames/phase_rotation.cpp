#include "phase_rotation.h"

#include <numbers>

namespace amae {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

}  // namespace

void PhaseRotation::change(const IqFrame& frame, Draw& draw) const {
  turn(frame, kTurn * (quarters() ? static_cast<double>(draw.integer(0, 4)) / 4 : draw.uniform()), 0);
}

void PhaseRotation::apply_eval(Batch& batch, int64_t view, int64_t views) const {
  const double share =
      quarters() ? static_cast<double>(view % 4) / 4 : static_cast<double>(view) / static_cast<double>(views);
  if (share == 0) return;
  at::Tensor out = plain_iq(batch.x, name()).clone();
  const int64_t n = out.size(2);
  for (int64_t item = 0; item < out.size(0); ++item) {
    float* x = out.mutable_data_ptr<float>() + item * 2 * n;
    turn({x, x + n, n, batch.rate_hz}, kTurn * share, 0);
  }
  batch.x = out;
}

}  // namespace amae
