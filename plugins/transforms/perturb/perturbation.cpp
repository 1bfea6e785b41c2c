#include "perturbation.h"

#include <cmath>
#include <cstring>

#include "../common/checks.h"

namespace amae {

Spec Perturbation::output(const Spec& input, Mode mode) const {
  require_domain(input, name_, {Domain::audio});
  if (mode == Mode::train && input.rate_hz > 0) check_rate(input.rate_hz);
  return input;
}

void Perturbation::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 3, name_, ": x must be [B, C, N]");
  if (batch.rate_hz > 0) check_rate(batch.rate_hz);
  const int64_t size = Rows(x).item_size();
  at::Tensor out = at::empty(x.sizes(), x.options());
  for (int64_t item = 0; item < x.size(0) && size > 0; ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    const at::Tensor from = x[item];
    const at::Tensor to = draw.chance(p_) ? perturb(from, batch.rate_hz, draw).contiguous() : from;
    TORCH_CHECK(to.sizes() == from.sizes() && to.scalar_type() == at::kFloat, name_, ": changed the item's shape");
    std::memcpy(out.mutable_data_ptr<float>() + item * size, to.const_data_ptr<float>(),
                sizeof(float) * static_cast<size_t>(size));
  }
  batch.x = out;
}

double Perturbation::known(double rate_hz) const {
  if (!(rate_hz > 0)) throw input_error(name_, "got an unknown rate, expected samples per second");
  return rate_hz;
}

at::Tensor fitted(const at::Tensor& y, int64_t n, const std::string& pad) {
  const int64_t played = y.size(1);
  if (played == n) return y;
  if (played > n) return y.narrow(1, 0, n).contiguous();
  if (played == 0 || pad == "zero") return at::constant_pad_nd(y, {0, n - played});
  return y.repeat({1, (n + played - 1) / played}).narrow(1, 0, n).contiguous();
}

double draw_log(const std::vector<double>& interval, Draw& draw) {
  return interval[0] * std::pow(interval[1] / interval[0], draw.uniform());
}

void require_below_nyquist(const std::string& field, const std::vector<double>& interval_hz, double rate_hz) {
  if (interval_hz[0] < rate_hz / 2) return;
  throw InputError("TRANSFORM-INPUT", "", field,
                   fmt::format("got [{}] Hz, expected to begin below {}, half the rate that arrives",
                               fmt::join(interval_hz, ", "), rate_hz / 2));
}

}  // namespace amae
