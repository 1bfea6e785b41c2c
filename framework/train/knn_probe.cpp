#include "train/knn_probe.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <map>

#include "data/loader.h"

namespace amae {
namespace {

/// Places in `rows` that are judged together.
std::vector<std::vector<int64_t>> parts_of(const Dataset& dataset, const std::vector<int64_t>& rows) {
  constexpr int64_t kParts = 10;
  const std::vector<int64_t> folds = dataset.folds();
  std::map<int64_t, std::vector<int64_t>> by_fold, by_place;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    by_place[place % kParts].push_back(place);
    if (!folds.empty()) by_fold[folds[static_cast<size_t>(rows[i])]].push_back(place);
  }
  std::vector<std::vector<int64_t>> parts;
  for (auto& [key, places] : by_fold.size() > 1 ? by_fold : by_place) parts.push_back(std::move(places));
  return parts;
}

torch::Tensor scores_among(const KnnOptions& options, const Dataset& dataset, const std::vector<int64_t>& rows,
                           const torch::Tensor& features, const torch::Tensor& targets) {
  torch::Tensor scores = torch::zeros_like(targets);
  for (const std::vector<int64_t>& part : parts_of(dataset, rows)) {
    const torch::Tensor here = torch::tensor(part);
    torch::Tensor others = torch::ones({features.size(0)}, torch::kBool);
    others.index_fill_(0, here, false);
    others = others.nonzero().squeeze(1);
    if (others.numel() == 0) continue;  // a single row has no neighbour
    scores.index_copy_(0, here,
                       knn_scores(options, features.index_select(0, others), targets.index_select(0, others),
                                  features.index_select(0, here)));
  }
  return scores;
}

}  // namespace

Scores knn_probe(const KnnOptions& options, const FeatureSource& source, const std::vector<int64_t>& gallery,
                 const std::vector<int64_t>& rows) {
  const torch::NoGradGuard no_grad;
  const auto features = [&](const std::vector<int64_t>& of) {
    return features_of(source.model, source.cache, source.pipeline, of, source.batch_size, source.workers,
                       source.device);
  };
  const Dataset& dataset = source.cache.dataset();
  Scores scores{rows, {}, targets_of(dataset, rows)};
  const torch::Tensor known = features(gallery);
  scores.probabilities = rows == gallery ? scores_among(options, dataset, rows, known, scores.targets)
                                         : knn_scores(options, known, targets_of(dataset, gallery), features(rows));
  return scores;
}

}  // namespace amae
