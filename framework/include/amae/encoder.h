// What a model plugin provides: an encoder from inputs to feature vectors. Heads, losses and schedules are the core's.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

namespace amae {

/// Features of an input. Dimension letters: B batch, D = width().
///
/// Parameters are initialised in the constructor from LibTorch's global generator, which the core seeds.
/// In eval mode the features of an item do not depend on the rest of its batch.
class Encoder : public torch::nn::Module {
 public:
  ~Encoder() override;

  /// x [B, ...] as the Spec that the factory was given -> features [B, D].
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;

  /// D, the length of a feature vector.
  [[nodiscard]] virtual int64_t width() const = 0;

  /// Named inner activations for pictures, from input to output, each [B, C, H, W] or [B, C, N]; detached, eval mode.
  virtual std::vector<std::pair<std::string, torch::Tensor>> feature_maps(const torch::Tensor& /*x*/) { return {}; }

  /// Number of layer groups for layer-wise learning rates; group 0 is next to the input.
  [[nodiscard]] virtual int64_t depth() const { return 1; }

  /// Layer group (0..depth()-1) of a parameter, by its name within this module.
  [[nodiscard]] virtual int64_t layer_of(const std::string& /*parameter*/) const { return 0; }
};

}  // namespace amae
