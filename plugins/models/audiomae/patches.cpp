#include "patches.h"

#include <torch/nn/init.h>
#include <torch/utils.h>

namespace amae::audiomae {

torch::Tensor patchify(const torch::Tensor& x, const PatchSize& patch) {
  const int64_t batch = x.size(0), channels = x.size(1), bands = x.size(2) / patch.frequency;
  const int64_t steps = x.size(3) / patch.time;
  TORCH_CHECK(bands * patch.frequency == x.size(2), "the bins must be whole patches");
  // strides allow the split of a narrowed axis, so the reshape at the end is the only copy
  return x.narrow(3, 0, steps * patch.time)
      .unflatten(3, {steps, patch.time})
      .unflatten(2, {bands, patch.frequency})  // [B, C, bands, f, steps, t]
      .permute({0, 4, 2, 1, 5, 3})
      .reshape({batch, steps * bands, channels * patch.time * patch.frequency});
}

torch::Tensor channels_last(const torch::Tensor& patches, int64_t channels) {
  if (channels == 1) return patches;
  return patches.unflatten(2, {channels, -1}).transpose(2, 3).flatten(2);
}

torch::Tensor unpatchify(const torch::Tensor& patches, const PatchSize& patch, const TokenGrid& grid) {
  const int64_t batch = patches.size(0);
  return patches.reshape({batch, grid.steps, grid.bands, patch.time, patch.frequency, -1})
      .permute({0, 5, 2, 4, 1, 3})  // [B, C, bands, f, steps, t]
      .reshape({batch, -1, grid.bands * patch.frequency, grid.steps * patch.time});
}

PatchEmbedImpl::PatchEmbedImpl(int64_t channels, const PatchSize& patch, int64_t dim, bool convolution_fans) {
  const torch::nn::Conv2dOptions options(channels, dim, {patch.time, patch.frequency});
  proj_ = register_module("proj", torch::nn::Conv2d(options));
  const torch::NoGradGuard no_grad;
  torch::nn::init::xavier_uniform_(convolution_fans ? proj_->weight : proj_->weight.view({dim, -1}));
  proj_->bias.zero_();
}

torch::Tensor PatchEmbedImpl::forward(const torch::Tensor& patches) {
  return at::linear(patches, proj_->weight.flatten(1), proj_->bias);
}

}  // namespace amae::audiomae
