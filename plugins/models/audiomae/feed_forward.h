// The feed-forward parts of a block: two layers with an activation between them, and the gated SwiGLU.
// Dimension letters: D width, h hidden width; x [..., D] -> [..., D].
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

namespace amae::audiomae {

/// LayerNorm over the last dimension as every part of the model has it: eps 1e-6.
[[nodiscard]] torch::nn::LayerNorm layer_norm(int64_t dim);

enum class Activation { silu, gelu };

/// y = fc2(activation(fc1 x)); parameters fc1.weight [h, D], fc2.weight [D, h] and biases, named as in timm.
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(int64_t dim, int64_t hidden, Activation activation);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Activation activation_;
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(Mlp);

/// h of a SwiGLU that costs as much as an Mlp of hidden width ratio * dim: its two thirds, rounded down, at least 1.
[[nodiscard]] int64_t swiglu_hidden(int64_t dim, double ratio);

/// y = proj(norm(silu(gate x) * value x)); parameters gate.weight, value.weight [h, D], norm.weight [h], proj.weight
/// [D, h] and biases.
/// Source: Shazeer 2020, arXiv:2002.05202, section 2; the LayerNorm before the output is AudioMAE++'s.
class SwiGluImpl : public torch::nn::Module {
 public:
  SwiGluImpl(int64_t dim, int64_t hidden);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear value_{nullptr}, gate_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear proj_{nullptr};
};
TORCH_MODULE(SwiGlu);

}  // namespace amae::audiomae
