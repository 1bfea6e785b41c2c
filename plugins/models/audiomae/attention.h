// Multi-head self-attention.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "rope.h"

namespace amae::audiomae {

/// softmax(q k' / sqrt(d)) v for each of `heads` heads of width d = D / heads, then a linear map.
/// Parameters as in timm: qkv.weight [3D, D] (queries, keys, values, each head by head), qkv.bias, proj.weight,
/// proj.bias. Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2. Shapes: B batch, N tokens; x [B, N, D] -> [B,
/// N, D].
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(int64_t dim, int64_t heads);

  /// `rotation`, when defined, turns queries and keys. `map`, when given, receives the weights [B, heads, N, N]: row =
  /// query; that way is slower and for pictures.
  torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation = {}, torch::Tensor* map = nullptr);

 private:
  int64_t heads_;
  torch::nn::Linear qkv_{nullptr}, proj_{nullptr};
};
TORCH_MODULE(Attention);

}  // namespace amae::audiomae
