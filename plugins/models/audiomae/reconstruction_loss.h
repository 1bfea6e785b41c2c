// How wrong a reconstruction is. Dimension letters: B batch, L tokens, K visible tokens, P values of a patch.
#pragma once

#include <torch/types.h>

namespace amae::audiomae {

/// [B]: the mean squared error of each patch, averaged over those that are not in kept [B, K]. prediction, target
/// [B, L, P]; K < L. What is predicted for visible patches has no influence and gets no gradient.
[[nodiscard]] torch::Tensor reconstruction_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                                const torch::Tensor& kept);

/// Mean and deviation of each patch's values, [B, L, 1]: deviation = sqrt(variance + 1e-6), the variance over P - 1 as
/// in the MAE code (He et al. 2021, arXiv:2111.06377, section 4.1).
struct PatchScale {
  torch::Tensor mean, deviation;
};
[[nodiscard]] PatchScale patch_scale(const torch::Tensor& patches);

}  // namespace amae::audiomae
