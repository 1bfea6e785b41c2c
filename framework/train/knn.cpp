#include "train/knn.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>

#include "train/features.h"

namespace amae {
namespace {

/// Rows of length 1; a row of zeros stays so, and is like nothing.
torch::Tensor unit_rows(const torch::Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

}  // namespace

void KnnOptions::describe(Fields& f) {
  f.add("k", k, "neighbours that vote").range(1, 1'000'000);
  f.add("standardize", standardize, "put every feature on the scale of the training split");  // not a plugin
}

torch::Tensor knn_scores(const KnnOptions& options, const torch::Tensor& gallery, const torch::Tensor& targets,
                         const torch::Tensor& queries) {
  TORCH_CHECK(gallery.dim() == 2 && gallery.size(0) > 0 && targets.dim() == 2 && targets.size(0) == gallery.size(0) &&
                  queries.dim() == 2 && queries.size(1) == gallery.size(1),
              "knn_scores: got gallery ", gallery.sizes(), ", targets ", targets.sizes(), ", queries ",
              queries.sizes());
  const torch::NoGradGuard no_grad;
  torch::Tensor known = gallery.to(torch::kDouble), asked = queries.to(torch::kDouble);
  if (options.standardize) {
    const FeatureScale scale(gallery);
    known = scale(known);
    asked = scale(asked);
  }
  known = unit_rows(known).t();
  asked = unit_rows(asked);
  const torch::Tensor votes = targets.to(torch::kCPU, torch::kDouble);
  const int64_t items = gallery.size(0), k = std::min(options.k, items);
  const int64_t block = std::max<int64_t>(1, (int64_t{1} << 24) / items);  // of queries: 128 MiB of similarities
  std::vector<torch::Tensor> parts = {torch::empty({0, targets.size(1)})};
  for (int64_t begin = 0; begin < asked.size(0); begin += block) {
    const torch::Tensor part = asked.narrow(0, begin, std::min(block, asked.size(0) - begin));
    // Rounded to float32, so that equal items tie whatever place the matrix product gave them; the sort is stable.
    const auto [similarity, order] = part.matmul(known).to(torch::kFloat).sort(/*stable=*/true, 1, /*descending=*/true);
    torch::Tensor weights = similarity.narrow(1, 0, k).to(torch::kDouble).clamp_min(0);
    weights = torch::where(weights.sum(1, true) > 0, weights, torch::ones_like(weights));
    weights = weights / weights.sum(1, true);
    const torch::Tensor theirs =
        votes.index_select(0, order.narrow(1, 0, k).reshape({-1})).view({-1, k, votes.size(1)});
    parts.push_back((weights.unsqueeze(2) * theirs).sum(1).clamp(0, 1).to(torch::kFloat));
  }
  return torch::cat(parts);
}

}  // namespace amae
