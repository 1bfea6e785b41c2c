// An encoder with a linear head.
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
  Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options);

  /// x [B, ...] -> logits [B, K].
  torch::Tensor forward(const torch::Tensor& x);

  [[nodiscard]] Encoder& encoder() const { return *encoder_; }

 private:
  std::shared_ptr<Encoder> encoder_;
  torch::nn::Linear head_;
  double dropout_;
};

}  // namespace amae
