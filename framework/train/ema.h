// Exponential moving average of weights and buffers.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>

#include "amae/transform.h"  // TensorDict

namespace amae {

/// average = d * average + (1 - d) * weight, d = min(decay, (1 + n) / (10 + n)) at update n (warm-up as in TensorFlow's
/// ExponentialMovingAverage). Floating tensors are averaged, others copied. Buffers (batch-norm statistics) are
/// included.
class Ema {
 public:
  Ema(const torch::nn::Module& module, double decay);
  void update(const torch::nn::Module& module);

  /// Exchanges the module's weights and buffers with the averages; calling it again restores them.
  void swap(torch::nn::Module& module);

  [[nodiscard]] TensorDict state() const;    ///< names of the module; and "ema.updates" (int64)
  void load_state(const TensorDict& state);  ///< InputError (code CKPT) naming a missing or misshapen tensor

 private:
  double decay_;
  int64_t updates_ = 0;
  TensorDict average_;
};

/// All parameters and buffers by name (detached, sharing memory).
TensorDict tensors_of(const torch::nn::Module& module);

}  // namespace amae
