// An encoder with a linear head, or without one.
#pragma once

#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>

#include "amae/encoder.h"
#include "amae/options.h"
#include "plugin/origin.h"

namespace amae {

struct HeadOptions {
  double dropout = 0.0;  ///< on the features, in training
  void describe(Fields& f) { f.add("dropout", dropout, "dropout on the features").range(0, 0.95); }
};

/// logits = W * dropout(encoder(x)) + b. Parameters are "encoder.…" and "head.weight", "head.bias".
/// Dimension letters: B batch, D width, K classes.
class Classifier : public torch::nn::Module {
 public:
  /// No head with `classes` 0: a pretrained encoder on its own. `origin`: of the encoder, for messages.
  Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options,
             Origin origin = {.kind = "model"});

  /// x [B, ...] -> features [B, D] float32 by the encoder. Throws InputError (code PLUGIN), naming the library, for
  /// what it throws that is none of our errors, and for another shape or type.
  torch::Tensor features(const torch::Tensor& x);

  /// features [B, D] -> logits [B, K]. Throws std::logic_error without a head.
  torch::Tensor logits(const torch::Tensor& features);

  /// x [B, ...] -> logits [B, K]. Throws as both.
  torch::Tensor forward(const torch::Tensor& x);

  /// An encoder of which nothing is trained stays in evaluation mode: its batch norms keep their statistics, and
  /// nothing in it is dropped. So does each part of the encoder that has parameters of its own and trains none of them.
  void train(bool on = true) override;

  /// Where numbers that are not finite began, as far as it shows in what the encoder was given (`x`), in its weights,
  /// and in what it `made`: "the model's input is not finite", "encoder.norm.weight is not finite", or who makes them
  /// of finite ones. Empty when what it made is finite.
  [[nodiscard]] std::string not_finite_because(const torch::Tensor& x, const torch::Tensor& made) const;

  [[nodiscard]] Encoder& encoder() const { return *encoder_; }
  [[nodiscard]] const Origin& origin() const { return origin_; }
  [[nodiscard]] bool has_head() const { return !head_.is_empty(); }

 private:
  std::shared_ptr<Encoder> encoder_;
  torch::nn::Linear head_{nullptr};
  double dropout_;
  Origin origin_;
};

}  // namespace amae
