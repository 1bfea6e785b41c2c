// AdamW and SGD with Nesterov momentum over named parameters, with state as named tensors.
#pragma once

#include <torch/types.h>

#include <functional>
#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"  // TensorDict

namespace amae {

struct OptimOptions {
  std::string name = "adamw";  ///< adamw | sgd
  double lr = 1e-3;
  double weight_decay = 0.05;
  double momentum = 0.9;                     ///< sgd
  bool nesterov = true;                      ///< sgd
  std::vector<double> betas = {0.9, 0.999};  ///< adamw
  double eps = 1e-8;                         ///< adamw
  double layer_decay = 1.0;  ///< lr of layer group g is lr * layer_decay^(depth - g); the head has the full lr
  void describe(Fields& f);
  void check() const;
};

struct NamedParameter {
  std::string name;
  torch::Tensor tensor;
  double lr_scale = 1.0;
  bool decay = true;  ///< weight decay applies
};

/// Trainable parameters with their rules: no decay for biases, norms and other tensors of fewer than two dimensions;
/// lr_scale = layer_decay^(depth - layer_of(name)) for those of the encoder (names that start with "encoder."), 1 else.
std::vector<NamedParameter> parameter_rules(const std::vector<std::pair<std::string, torch::Tensor>>& parameters,
                                            double layer_decay, int64_t depth,
                                            const std::function<int64_t(const std::string&)>& layer_of);

/// Decoupled weight decay for adamw (Loshchilov & Hutter 2019); L2 in the gradient for sgd (as torch.optim.SGD).
/// Steps all parameters of equal rules with foreach kernels. Parameters without gradient are skipped.
class Optimizer {
 public:
  Optimizer(OptimOptions options, std::vector<NamedParameter> parameters);

  void step(double lr);  ///< lr: the base rate at this step, before lr_scale
  void zero_grad();      ///< frees the gradients
  /// Scales all gradients so that their global L2 norm is at most max_norm (0: only measures). Returns the norm before,
  /// as a double; NaN or Inf when a gradient is not finite (then nothing is scaled).
  double clip(double max_norm);

  [[nodiscard]] const std::vector<NamedParameter>& parameters() const { return parameters_; }
  /// Momentum buffers etc. under "PARAMETER.momentum", "PARAMETER.exp_avg", "PARAMETER.exp_avg_sq" and "step" (int64).
  [[nodiscard]] TensorDict state() const;
  void load_state(const TensorDict& state);  ///< InputError (code CKPT) naming a missing, extra or misshapen tensor

 private:
  OptimOptions options_;
  std::vector<NamedParameter> parameters_;
  std::vector<torch::Tensor> first_, second_;  // per parameter: momentum or exp_avg, and exp_avg_sq
  int64_t step_ = 0;
};

}  // namespace amae
