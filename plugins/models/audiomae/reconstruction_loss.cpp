#include "reconstruction_loss.h"

#include <torch/utils.h>

namespace amae::audiomae {

torch::Tensor reconstruction_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                  const torch::Tensor& kept) {
  const auto errors = (prediction - target).square().mean(-1);  // [B, L]
  const auto hidden = torch::ones(errors.sizes(), errors.options()).scatter_(1, kept, 0.0);
  return (errors * hidden).sum(1) / static_cast<double>(errors.size(1) - kept.size(1));
}

PatchScale patch_scale(const torch::Tensor& patches) {
  return {patches.mean(-1, /*keepdim=*/true), (patches.var(-1, /*unbiased=*/true, /*keepdim=*/true) + 1e-6).sqrt()};
}

}  // namespace amae::audiomae
