// A picture cut into rectangles and put together again, and the linear map from a rectangle to a token.
// Dimension letters: B batch, C channels, F frequency bins, T frames; a patch has f bins and t frames; the grid has
// bands = F / f and steps = T / t, L = bands * steps tokens. Token number = step * bands + band.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include "amae/encoder.h"

namespace amae::audiomae {

struct PatchSize {
  int64_t time = 1;       ///< t
  int64_t frequency = 1;  ///< f
};

/// x [B, C, F, T] -> [B, L, C*t*f], the values of a patch in the order (c, t, f) of a convolution's weight. F must be a
/// multiple of f; frames after the last whole patch are left out.
[[nodiscard]] torch::Tensor patchify(const torch::Tensor& x, const PatchSize& patch);

/// Patches [B, L, C*t*f] in the order (c, t, f) -> [B, L, t*f*C] in the order (t, f, c), in which the decoder's outputs
/// stand. The same tensor when C = 1.
[[nodiscard]] torch::Tensor channels_last(const torch::Tensor& patches, int64_t channels);

/// Patches [B, L, t*f*C] in the order (t, f, c) -> [B, C, bands*f, steps*t].
[[nodiscard]] torch::Tensor unpatchify(const torch::Tensor& patches, const PatchSize& patch, const TokenGrid& grid);

/// Patches to tokens: a convolution whose stride is its kernel. Parameters proj.weight [D, C, t, f] and proj.bias [D].
/// Xavier-uniform weight, bias 0: seen as the matrix [D, C*t*f] (He et al. 2021, arXiv:2111.06377, appendix A.1), or
/// with `convolution_fans` as PyTorch sees a convolution, whose fan-out is D*t*f: smaller weights.
class PatchEmbedImpl : public torch::nn::Module {
 public:
  PatchEmbedImpl(int64_t channels, const PatchSize& patch, int64_t dim, bool convolution_fans = false);

  /// Patches [B, K, C*t*f] in the order (c, t, f) -> [B, K, D]. Any K: of a masked picture only the visible patches.
  torch::Tensor forward(const torch::Tensor& patches);

 private:
  torch::nn::Conv2d proj_{nullptr};
};
TORCH_MODULE(PatchEmbed);

}  // namespace amae::audiomae
