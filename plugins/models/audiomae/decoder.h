// The small half of a masked autoencoder: from the latents of what was visible to the values of every patch.
// Dimension letters: B batch, K visible tokens, L all tokens, D encoder width, E decoder width, P values of a patch.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <memory>
#include <vector>

#include "block.h"

namespace amae::audiomae {

/// Parameters as in the published code of AudioMAE++, whose decoder is a module of this name: decoder_embed,
/// mask_token, decoder_blocks.N, decoder_norm, decoder_pred. Source: He et al. 2021, arXiv:2111.06377, section 3.
class DecoderImpl : public torch::nn::Module {
 public:
  /// `block` has the decoder's own width E.
  DecoderImpl(int64_t encoder_dim, const BlockOptions& block, int64_t depth, bool cls_token, int64_t patch_values);

  /// latents [B, K, D] (1 + K with a cls token, which stands first), kept [B, K] their token numbers in the same order,
  /// positions [L, E], rotation of all tokens (cls first) or undefined -> [B, L, P]. Wherever a token was hidden the
  /// mask token stands; only positions tell such tokens apart.
  torch::Tensor forward(const torch::Tensor& latents, const torch::Tensor& kept, const torch::Tensor& positions,
                        const Rotation& rotation);

 private:
  bool cls_token_;
  torch::nn::Linear decoder_embed_{nullptr};
  torch::Tensor mask_token_;
  torch::nn::ModuleList decoder_blocks_;
  std::vector<std::shared_ptr<Block>> blocks_;
  torch::nn::LayerNorm decoder_norm_{nullptr};
  torch::nn::Linear decoder_pred_{nullptr};
};
TORCH_MODULE(Decoder);

}  // namespace amae::audiomae
