// What the encoder and the decoder stack: Macaron blocks, or plain ViT blocks as the baseline.
// Dimension letters: B batch, N tokens, D width; x [B, N, D] -> [B, N, D].
#pragma once

#include <memory>
#include <string>

#include "attention.h"
#include "feed_forward.h"

namespace amae::audiomae {

struct BlockOptions {
  std::string kind = "macaron";    ///< macaron | vit
  std::string form = "corrected";  ///< of a Macaron block
  int64_t dim = 0;
  int64_t heads = 1;
  double mlp_ratio = 4.0;
  double drop_path = 0.0;  ///< chance that an item's branch is left out in training
};

/// A residual block. Training draws from LibTorch's generator when drop_path is not 0.
class Block : public torch::nn::Module {
 public:
  explicit Block(double drop_path) : drop_path_(drop_path) {}
  ~Block() override;

  /// `rotation` and `map` as for Attention.
  virtual torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map = nullptr) = 0;

 protected:
  /// x + weight * branch; in training each item's branch is 0 with probability drop_path and the others are scaled up
  /// so that the mean stays (Huang et al. 2016, arXiv:1603.09382).
  [[nodiscard]] torch::Tensor residual(const torch::Tensor& x, const torch::Tensor& branch, double weight) const;

 private:
  double drop_path_;
};

/// Half-step feed-forward (SiLU), attention, half-step feed-forward (SwiGLU), each behind a LayerNorm:
///   corrected:        x += ffn1(norm1 x) / 2;  x += attn(norm2 x);  x += ffn2(norm3 x) / 2
///   official_compat:  x += ffn1(norm1 x) / 2;  x += attn(norm2 x);  x += ffn2(norm2 x);  norm3 exists but does nothing
/// Source: AudioMAE++ (arXiv:2507.10464), its paper and its code; Gulati et al. 2020, arXiv:2005.08100 (Macaron).
class MacaronBlock final : public Block {
 public:
  explicit MacaronBlock(const BlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map) override;

 private:
  bool corrected_;
  torch::nn::LayerNorm norm1_{nullptr};
  Mlp ffn1_{nullptr};
  torch::nn::LayerNorm norm2_{nullptr};
  Attention attn_{nullptr};
  torch::nn::LayerNorm norm3_{nullptr};
  SwiGlu ffn2_{nullptr};
};

/// x += attn(norm1 x); x += mlp(norm2 x), with GELU; parameters named as in timm.
/// Source: Dosovitskiy et al. 2020, arXiv:2010.11929.
class VitBlock final : public Block {
 public:
  explicit VitBlock(const BlockOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation, torch::Tensor* map) override;

 private:
  torch::nn::LayerNorm norm1_{nullptr};
  Attention attn_{nullptr};
  torch::nn::LayerNorm norm2_{nullptr};
  Mlp mlp_{nullptr};
};

[[nodiscard]] std::shared_ptr<Block> make_block(const BlockOptions& options);

/// Xavier-uniform weights and zero biases for every linear layer of the module (He et al. 2021, appendix A.1).
void initialise_linears(torch::nn::Module& module);

}  // namespace amae::audiomae
