#include "decoder.h"

#include <torch/utils.h>

namespace amae::audiomae {

DecoderImpl::DecoderImpl(int64_t encoder_dim, const BlockOptions& block, int64_t depth, bool cls_token,
                         int64_t patch_values)
    : cls_token_(cls_token) {
  mask_token_ = register_parameter("mask_token", torch::zeros({1, 1, block.dim}));
  decoder_embed_ = register_module("decoder_embed", torch::nn::Linear(encoder_dim, block.dim));
  for (int64_t i = 0; i < depth; ++i) {
    blocks_.push_back(make_block(block));
    decoder_blocks_->push_back(blocks_.back());
  }
  register_module("decoder_blocks", decoder_blocks_);
  decoder_norm_ = register_module("decoder_norm", layer_norm(block.dim));
  decoder_pred_ = register_module("decoder_pred", torch::nn::Linear(block.dim, patch_values));
  initialise_linears(*this);
  const torch::NoGradGuard no_grad;
  mask_token_.normal_(0.0, 0.02);
}

torch::Tensor DecoderImpl::forward(const torch::Tensor& latents, const torch::Tensor& kept,
                                   const torch::Tensor& positions, const Rotation& rotation) {
  const int64_t batch = latents.size(0), tokens = positions.size(0), width = positions.size(1);
  const int64_t first = cls_token_ ? 1 : 0;
  const auto seen = decoder_embed_->forward(latents).to(mask_token_.scalar_type());  // autocast makes it narrower
  const auto index = kept.unsqueeze(-1).expand({-1, -1, width});
  auto y =
      mask_token_.expand({batch, tokens, width}).scatter(1, index, seen.narrow(1, first, kept.size(1))) + positions;
  if (cls_token_) y = torch::cat({seen.narrow(1, 0, 1), y}, 1);
  for (const auto& block : blocks_) y = block->forward(y, rotation);
  // the cls token predicts nothing
  return decoder_pred_->forward(decoder_norm_->forward(y.narrow(1, first, tokens)));
}

}  // namespace amae::audiomae
