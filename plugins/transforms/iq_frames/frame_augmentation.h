// What the random transforms of this folder share: with probability p a frame is changed in place.
#pragma once

#include <string>
#include <utility>

#include "amae/transform.h"
#include "iq_frame.h"

namespace amae {

/// Base: IQ x [B, 2, N] -> same shape. Each frame decides and draws by itself.
class FrameAugmentation : public Transform {
 public:
  /// name: the registry key, for messages; p: probability for each example.
  FrameAugmentation(std::string name, double p) : name_(std::move(name)), p_(p) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const final;
  [[nodiscard]] bool random() const final { return true; }
  void apply(Batch& batch, const Stage& stage) const final;

 protected:
  /// Throws InputError when the options do not go with `rate_hz`, which is 0 where unknown.
  virtual void check_rate(double /*rate_hz*/) const {}

  /// Changes one frame, whose rate has passed check_rate().
  virtual void change(const IqFrame& frame, Draw& draw) const = 0;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  double p_;
};

}  // namespace amae
