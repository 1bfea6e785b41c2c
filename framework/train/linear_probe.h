// A linear classifier on frozen features.
#pragma once

#include <torch/types.h>

#include "amae/options.h"

namespace amae {

struct LinearProbeOptions {
  double l2 = 1e-2;          ///< weight of half the squared norm of W, against the mean loss
  int64_t iterations = 200;  ///< at most, of L-BFGS
  void describe(Fields& f);
};

/// Multinomial (or, with several labels, independent binary) logistic regression on standardised features: the minimum
/// over W [K, D] and b [K], from zero, of
///
///   1/N sum_n loss(W z_n + b, y_n) + l2/2 |W|^2,     z = (x - mean) / deviation over the gallery,
///
/// where loss is the cross-entropy of the softmax, or the sum over classes of those of the sigmoids. By L-BFGS with
/// strong Wolfe line search in float64; as l2 > 0 it has one answer, whatever the scale of each feature.
/// gallery [N, D], targets [N, K], queries [M, D] -> probabilities [M, K] float32. N > 0.
torch::Tensor linear_probe_scores(const LinearProbeOptions& options, const torch::Tensor& gallery,
                                  const torch::Tensor& targets, bool multi_label, const torch::Tensor& queries);

}  // namespace amae
