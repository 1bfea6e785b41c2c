#include "attention.h"

#include <torch/utils.h>

#include <cmath>

namespace amae::audiomae {

AttentionImpl::AttentionImpl(int64_t dim, int64_t heads) : heads_(heads) {
  TORCH_CHECK(dim % heads == 0, "the heads must divide the width");
  qkv_ = register_module("qkv", torch::nn::Linear(dim, 3 * dim));
  proj_ = register_module("proj", torch::nn::Linear(dim, dim));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map) {
  const auto qkv = qkv_->forward(x).unflatten(-1, {3, heads_, -1});  // [B, N, 3, heads, d]
  const auto qk = rotation.defined() ? rotate(qkv.narrow(2, 0, 2), rotation) : qkv;
  const auto q = qk.select(2, 0).transpose(1, 2);  // [B, heads, N, d]
  const auto k = qk.select(2, 1).transpose(1, 2);
  const auto v = qkv.select(2, 2).transpose(1, 2);
  torch::Tensor y;
  if (map == nullptr) {
    y = at::scaled_dot_product_attention(q, k, v);
  } else {
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
    *map = torch::matmul(q * scale, k.transpose(-2, -1)).softmax(-1);
    y = torch::matmul(*map, v);
  }
  return proj_->forward(y.transpose(1, 2).flatten(2));
}

}  // namespace amae::audiomae
