// Losses on where the features of a batch lie to each other. Dimension letters: B batch, D features, K classes.
//
// Features are scaled to length 1 first: u_i = f_i / |f_i|. Both losses are means, so that their size does not depend
// on B; both are 0 (with gradient 0) where a batch has nothing to compare.
#pragma once

#include <torch/types.h>

namespace amae {

/// log of the mean over all pairs i != j of exp(-2 |u_i - u_j|^2): the lower, the more evenly the features cover the
/// sphere; 0 when all are one point. Source: Wang & Isola 2020, arXiv:2005.10242, section 4.1 (t = 2).
/// features [B, D] -> scalar.
torch::Tensor uniformity_loss(const torch::Tensor& features);

/// Supervised contrastive loss, the mean over items i that have positives of
///   -1/|P(i)| sum_{p in P(i)} log( exp(u_i.u_p / temperature) / sum_{a != i} exp(u_i.u_a / temperature) ).
/// P(i): the other items of the same class weights (up to 0.001), so that of mixed items only equal mixtures count.
/// Source: Khosla et al. 2020, arXiv:2004.11362, equation 2 (L_out). features [B, D], targets [B, K] -> scalar.
torch::Tensor contrastive_loss(const torch::Tensor& features, const torch::Tensor& targets, double temperature);

}  // namespace amae
