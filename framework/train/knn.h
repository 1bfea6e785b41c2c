// Classification by the nearest neighbours among labelled features.
#pragma once

#include <torch/types.h>

#include "amae/options.h"

namespace amae {

struct KnnOptions {
  int64_t k = 5;            ///< neighbours that vote
  bool standardize = true;  ///< put every feature on the gallery's scale (mean 0, deviation 1) before comparing
  void describe(Fields& f);
};

/// Shares of the vote. Cosine similarity on features that are standardised by the gallery's mean and deviation; the k
/// nearest vote with weight similarity (at least 0; where no neighbour is on the query's side, all k vote alike).
/// N gallery items, M queries, D features, K classes.
/// gallery [N, D], targets [N, K] (one-hot or multi-hot), queries [M, D] -> [M, K] float32 in 0..1. k above N counts
/// as N. Ties go to the lower gallery number, so that the result repeats. N > 0.
torch::Tensor knn_scores(const KnnOptions& options, const torch::Tensor& gallery, const torch::Tensor& targets,
                         const torch::Tensor& queries);

}  // namespace amae
