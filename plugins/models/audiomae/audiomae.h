// AudioMAE++: a masked autoencoder over patches of a spectrogram or a waveform. Plain LibTorch: only plugin.cpp speaks
// to the loader.
#pragma once

#include <torch/nn/modules/container/modulelist.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amae/encoder.h"
#include "amae/signal.h"
#include "block.h"
#include "decoder.h"
#include "options.h"
#include "patches.h"

namespace amae {

/// Patches -> tokens + positions -> [cls, tokens] -> blocks -> LayerNorm -> pooled features; in pretraining only the
/// visible tokens, and a decoder that fills in the others.
///
/// Source: Yadav, Theodoridis, Tan 2025, arXiv:2507.10464, and its published code; He et al. 2021, arXiv:2111.06377.
/// Differences from that code: the decoder's positions know both axes (unless official_compat), RoPE, where chosen,
/// takes time and frequency coordinates instead of the number in the list of visible tokens, and drop-path covers all
/// branches.
///
/// Parameters: patch_embed.proj, cls_token, pos_embed (learned positions only), blocks.N (MacaronBlock, VitBlock) and
/// norm, as in timm and facebookresearch/AudioMAE; decoder (see Decoder) as in the code of AudioMAE++.
/// Initialisation: Xavier-uniform linear maps (the patch embedding as a matrix, as in MAE; in official_compat with a
/// convolution's fans, as in that code), biases 0, norms 1 and 0, cls and mask token and learned positions normal
/// with standard deviation 0.02. The encoder's first weights are the same with and without a decoder.
///
/// Shapes: B batch, C channels, F frequency bins, T frames, L = bands * steps tokens, D = width of a token. Input
/// [B, C, F, T], or [B, C, N] of a waveform, which is a picture of one row (F = 1, T = N). C and F are fixed. T may
/// differ from call to call in forward(); frames after the last whole patch are left out.
/// Training draws from LibTorch's generator (drop_path, token_drop). Calls must not overlap on one object.
class AudioMae final : public MaskedAutoencoder {
 public:
  /// Throws InputError when the input has not the sizes it must have (field "input"; T may be open, -1, when nothing
  /// is reconstructed and positions are not learned), when patch_frequency does not divide F, and what options.check()
  /// throws. `reconstructs`: with decoder.
  AudioMae(const AudioMaeOptions& options, const Spec& input, bool reconstructs);

  /// Features of the final LayerNorm's tokens [B, width()]. Pooling leaves out the cls token unless it is "cls". With
  /// token_drop a random subset of the tokens is all that is computed in training; bands that lost every token are 0 in
  /// mean_frequency. Throws InputError (field "input") when x has another C or F, or less than one patch.
  torch::Tensor forward(const torch::Tensor& x) override;

  /// D, or bands * D for mean_frequency.
  [[nodiscard]] int64_t width() const override;

  [[nodiscard]] TokenGrid token_grid() const override;

  /// `kept` in any order. losses: mean squared error over the values of a patch, averaged over the hidden patches; with
  /// normalized_target of the scaled values. features [B, D]: mean over the visible tokens, without cls. prediction:
  /// the decoder's for every patch, also the visible ones; scaled back by each true patch's mean and deviation with
  /// normalized_target. Throws InputError when x does not have the sizes of the Spec.
  Reconstruction reconstruct(const torch::Tensor& x, const torch::Tensor& kept) override;

  /// "patches" (embedded, before positions), then for each block "attentionK" [B, heads, N, N] (row = query; N = 1 + L,
  /// first the cls token; N = L without one) and "blockK", K from 1. "patches" and "blockK" are tokens as pictures
  /// [B, D, bands, steps].
  std::vector<std::pair<std::string, torch::Tensor>> feature_maps(const torch::Tensor& x) override;

  /// Blocks + 1: patch embedding, positions and cls token are group 0, blocks.N group N + 1; the rest is in the last.
  [[nodiscard]] int64_t depth() const override { return static_cast<int64_t>(blocks_.size()) + 1; }
  [[nodiscard]] int64_t layer_of(const std::string& parameter) const override;

  /// pos_embed of as many bands (which its rows cannot prove) but another number of steps: linear along time; a leading
  /// row for a cls token is left out, with one band only when the others are as many as ours. patch_embed.proj.weight
  /// of another number of channels: the sum over theirs, shared out evenly among ours, so that equal channels get the
  /// answer they got before.
  [[nodiscard]] torch::Tensor resized(const std::string& parameter, const torch::Tensor& foreign) const override;

 private:
  struct Tables;  // positions and rotations of a grid
  using Maps = std::vector<std::pair<std::string, torch::Tensor>>;

  [[nodiscard]] torch::Tensor as_picture(const torch::Tensor& x) const;
  [[nodiscard]] TokenGrid grid_of(const torch::Tensor& picture) const;
  Tables tables(const TokenGrid& grid);
  torch::Tensor encode(const torch::Tensor& patches, const TokenGrid& grid, const torch::Tensor& kept,
                       Maps* maps = nullptr);
  [[nodiscard]] torch::Tensor pool(const torch::Tensor& latents, const TokenGrid& grid,
                                   const torch::Tensor& kept) const;
  [[nodiscard]] int64_t first_patch() const { return cls_token_.defined() ? 1 : 0; }

  AudioMaeOptions options_;
  AudioMaeSize size_;
  Spec input_;
  int64_t channels_ = 0;
  audiomae::PatchSize patch_;
  TokenGrid grid_;  // steps = 0: open

  audiomae::PatchEmbed patch_embed_{nullptr};
  torch::Tensor cls_token_;  // [1, 1, D]
  torch::Tensor pos_embed_;  // [1, L, D], learned positions
  torch::nn::ModuleList block_list_;
  std::vector<std::shared_ptr<audiomae::Block>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  audiomae::Decoder decoder_{nullptr};
  std::shared_ptr<Tables> tables_;  // of the last grid
};

}  // namespace amae
