// An encoder with a linear head, or without one.
#pragma once

#include <torch/nn/modules/linear.h>

#include <memory>

#include "amae/encoder.h"
#include "amae/options.h"

namespace amae {

struct HeadOptions {
  double dropout = 0.0;  ///< on the features, in training
  void describe(Fields& f) { f.add("dropout", dropout, "dropout on the features").range(0, 0.95); }
};

/// logits = W * dropout(encoder(x)) + b. Parameters are "encoder.…" and "head.weight", "head.bias".
/// Dimension letters: B batch, D width, K classes.
class Classifier : public torch::nn::Module {
 public:
  /// No head with `classes` 0: a pretrained encoder on its own.
  Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options);

  /// x [B, ...] -> logits [B, K]. Throws std::logic_error without a head.
  torch::Tensor forward(const torch::Tensor& x);

  /// An encoder of which nothing is trained stays in evaluation mode: its batch norms keep their statistics, and
  /// nothing in it is dropped. So does each part of the encoder that has parameters of its own and trains none of them.
  void train(bool on = true) override;

  [[nodiscard]] Encoder& encoder() const { return *encoder_; }
  [[nodiscard]] bool has_head() const { return !head_.is_empty(); }

 private:
  std::shared_ptr<Encoder> encoder_;
  torch::nn::Linear head_{nullptr};
  double dropout_;
};

}  // namespace amae
