#include "train/contrastive.h"

#include <torch/nn/functional/normalization.h>
#include <torch/types.h>

#include <cmath>
#include <limits>

namespace amae {
namespace {

/// Cosines of all pairs [B, B].
torch::Tensor pair_cosines(const torch::Tensor& features) {
  const torch::Tensor u =
      torch::nn::functional::normalize(features, torch::nn::functional::NormalizeFuncOptions().dim(1));
  return torch::mm(u, u.t());
}

torch::Tensor self_pairs(const torch::Tensor& features) {
  return torch::eye(features.size(0), features.options().dtype(torch::kBool));
}

constexpr double kNoWeight = -std::numeric_limits<double>::infinity();

}  // namespace

torch::Tensor uniformity_loss(const torch::Tensor& features) {
  const int64_t B = features.size(0);
  if (B < 2) return features.sum() * 0;
  // |u - v|^2 = 2 - 2 u.v; the item itself has weight exp(-inf) = 0.
  const torch::Tensor exponents = (4 * pair_cosines(features) - 4).masked_fill(self_pairs(features), kNoWeight);
  return torch::logsumexp(exponents.flatten(), 0) - std::log(static_cast<double>(B) * static_cast<double>(B - 1));
}

torch::Tensor contrastive_loss(const torch::Tensor& features, const torch::Tensor& targets, double temperature) {
  const torch::Tensor self = self_pairs(features);
  const torch::Tensor y = targets.to(features.device());
  const torch::Tensor positive =
      ((y.unsqueeze(0) - y.unsqueeze(1)).abs().amax(2) < 1e-3).logical_and(self.logical_not()).to(features.dtype());
  const torch::Tensor positives = positive.sum(1);  // |P(i)|
  const torch::Tensor anchors = (positives > 0).to(features.dtype());
  if (anchors.sum().item<double>() == 0) return features.sum() * 0;
  const torch::Tensor similarity = pair_cosines(features) / temperature;
  // logsumexp takes the largest out of the exponentials: no temperature is too low for float32.
  const torch::Tensor log_shares =
      similarity - torch::logsumexp(similarity.masked_fill(self, kNoWeight), 1, /*keepdim=*/true);
  const torch::Tensor of_items = -(log_shares * positive).sum(1) / positives.clamp_min(1);
  return (of_items * anchors).sum() / anchors.sum();
}

}  // namespace amae
