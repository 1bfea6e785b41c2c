#include "block.h"

#include <torch/nn/init.h>
#include <torch/utils.h>

namespace amae::audiomae {

Block::~Block() = default;

torch::Tensor Block::residual(const torch::Tensor& x, const torch::Tensor& branch, double weight) const {
  if (!is_training() || drop_path_ == 0) return torch::add(x, branch, weight);
  const double keep = 1.0 - drop_path_;
  const auto kept = torch::rand({x.size(0), 1, 1}, x.options()).lt_(keep).mul_(weight / keep);
  return torch::addcmul(x, branch, kept);
}

MacaronBlock::MacaronBlock(const BlockOptions& o) : Block(o.drop_path), corrected_(o.form == "corrected") {
  const auto hidden = static_cast<int64_t>(o.mlp_ratio * static_cast<double>(o.dim));
  norm1_ = register_module("norm1", layer_norm(o.dim));
  ffn1_ = register_module("ffn1", Mlp(o.dim, hidden, Activation::silu));
  norm2_ = register_module("norm2", layer_norm(o.dim));
  attn_ = register_module("attn", Attention(o.dim, o.heads));
  norm3_ = register_module("norm3", layer_norm(o.dim));
  ffn2_ = register_module("ffn2", SwiGlu(o.dim, swiglu_hidden(o.dim, o.mlp_ratio)));
}

torch::Tensor MacaronBlock::forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map) {
  auto y = residual(x, ffn1_->forward(norm1_->forward(x)), 0.5);
  y = residual(y, attn_->forward(norm2_->forward(y), rotation, map), 1.0);
  return corrected_ ? residual(y, ffn2_->forward(norm3_->forward(y)), 0.5)
                    : residual(y, ffn2_->forward(norm2_->forward(y)), 1.0);
}

VitBlock::VitBlock(const BlockOptions& o) : Block(o.drop_path) {
  norm1_ = register_module("norm1", layer_norm(o.dim));
  attn_ = register_module("attn", Attention(o.dim, o.heads));
  norm2_ = register_module("norm2", layer_norm(o.dim));
  mlp_ = register_module("mlp",
                         Mlp(o.dim, static_cast<int64_t>(o.mlp_ratio * static_cast<double>(o.dim)), Activation::gelu));
}

torch::Tensor VitBlock::forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map) {
  const auto y = residual(x, attn_->forward(norm1_->forward(x), rotation, map), 1.0);
  return residual(y, mlp_->forward(norm2_->forward(y)), 1.0);
}

std::shared_ptr<Block> make_block(const BlockOptions& options) {
  if (options.kind == "vit") return std::make_shared<VitBlock>(options);
  return std::make_shared<MacaronBlock>(options);
}

void initialise_linears(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* linear = child->as<torch::nn::Linear>()) {
      torch::nn::init::xavier_uniform_(linear->weight);
      linear->bias.zero_();
    }
  }
}

}  // namespace amae::audiomae
