#include "feed_forward.h"

#include <torch/utils.h>

#include <algorithm>

namespace amae::audiomae {

torch::nn::LayerNorm layer_norm(int64_t dim) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({dim}).eps(1e-6));
}

MlpImpl::MlpImpl(int64_t dim, int64_t hidden, Activation activation) : activation_(activation) {
  fc1_ = register_module("fc1", torch::nn::Linear(dim, hidden));
  fc2_ = register_module("fc2", torch::nn::Linear(hidden, dim));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& x) {
  const auto hidden = fc1_->forward(x);
  return fc2_->forward(activation_ == Activation::silu ? at::silu(hidden) : at::gelu(hidden));
}

int64_t swiglu_hidden(int64_t dim, double ratio) {
  return std::max<int64_t>(static_cast<int64_t>(ratio * static_cast<double>(dim) * 2.0 / 3.0), 1);
}

SwiGluImpl::SwiGluImpl(int64_t dim, int64_t hidden) {
  value_ = register_module("value", torch::nn::Linear(dim, hidden));
  gate_ = register_module("gate", torch::nn::Linear(dim, hidden));
  norm_ = register_module("norm", layer_norm(hidden));
  proj_ = register_module("proj", torch::nn::Linear(hidden, dim));
}

torch::Tensor SwiGluImpl::forward(const torch::Tensor& x) {
  return proj_->forward(norm_->forward(at::silu(gate_->forward(x)) * value_->forward(x)));
}

}  // namespace amae::audiomae
