// What the transforms of this folder share: a waveform comes in, and with probability p a changed one of the same
// length goes out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/transform.h"

namespace amae {

/// Base: audio x [B, C, N] -> same shape. Each item decides and draws by itself, and its channels share the draws.
class Perturbation : public Transform {
 public:
  /// name: the registry key, for messages; p: probability for each example.
  Perturbation(std::string name, double p) : name_(std::move(name)), p_(p) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const final;
  [[nodiscard]] bool random() const final { return true; }
  void apply(Batch& batch, const Stage& stage) const final;

 protected:
  /// Throws InputError when the options do not go with `rate_hz` > 0.
  virtual void check_rate(double /*rate_hz*/) const {}

  /// One item x [C, N], read only, contiguous, N > 0 -> [C, N] float32. rate_hz has passed check_rate(), or is 0 where
  /// unknown.
  [[nodiscard]] virtual at::Tensor perturb(const at::Tensor& x, double rate_hz, Draw& draw) const = 0;

  /// rate_hz; throws InputError when it is unknown.
  [[nodiscard]] double known(double rate_hz) const;

 private:
  std::string name_;
  double p_;
};

/// y [C, M] -> [C, N]: cut when too long; when too short followed by itself again (pad "tile") or by zeros ("zero").
at::Tensor fitted(const at::Tensor& y, int64_t n, const std::string& pad);

/// Uniform over the logarithm of `interval`, whose ends are positive.
double draw_log(const std::vector<double>& interval, Draw& draw);

/// Throws InputError naming `field` unless the interval of frequencies begins below half the rate.
void require_below_nyquist(const std::string& field, const std::vector<double>& interval_hz, double rate_hz);

}  // namespace amae
