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

  /// Named inner activations for pictures, from input to output, each [B, C, H, W] (H along frequency, W along time) or
  /// [B, C, N]; detached, eval mode. One whose name begins with "attention" is weights [B, heads, N, N], row = query;
  /// of a MaskedAutoencoder N is the size of the token grid, or one more: then a summary token comes first.
  virtual std::vector<std::pair<std::string, torch::Tensor>> feature_maps(const torch::Tensor& /*x*/) { return {}; }

  /// Number of layer groups for layer-wise learning rates and for freezing; group 0 is next to the input.
  [[nodiscard]] virtual int64_t depth() const { return 1; }

  /// Layer group (0..depth()-1) of a parameter, by its name within this module.
  [[nodiscard]] virtual int64_t layer_of(const std::string& /*parameter*/) const { return 0; }

  /// A foreign tensor of another shape made to fit the parameter of this name, as by interpolating positions to another
  /// clip length; undefined where that makes no sense.
  [[nodiscard]] virtual torch::Tensor resized(const std::string& /*parameter*/,
                                              const torch::Tensor& /*foreign*/) const {
    return {};
  }
};

/// How an input is cut into tokens: bands along frequency, steps along time. Token number = step * bands + band.
struct TokenGrid {
  int64_t bands = 1;
  int64_t steps = 1;
  [[nodiscard]] int64_t size() const { return bands * steps; }
};

/// What a masked autoencoder makes of a batch of which it saw a part. Dimension letters: B batch, L tokens, D =
/// width().
struct Reconstruction {
  torch::Tensor losses;      ///< [B] error of each item over its hidden tokens, with gradient
  torch::Tensor features;    ///< [B, D'] mean over the visible tokens' latents, with gradient
  torch::Tensor prediction;  ///< x's shape and units: the whole item as predicted, detached; what no token covers is x
};

/// An encoder that can learn by filling in what was hidden. Which tokens are hidden is the core's choice.
class MaskedAutoencoder : public Encoder {
 public:
  ~MaskedAutoencoder() override;

  /// Tokens of one item of the Spec that the factory was given; its sizes are fixed then.
  [[nodiscard]] virtual TokenGrid token_grid() const = 0;

  /// x [B, ...], kept [B, K] int64: ascending numbers of the tokens that the encoder may see, 0 < K < L.
  /// Throws InputError when the factory was not told that it `reconstructs`.
  virtual Reconstruction reconstruct(const torch::Tensor& x, const torch::Tensor& kept) = 0;
};

}  // namespace amae
