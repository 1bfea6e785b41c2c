#include "train/features.h"

#include <torch/types.h>
#include <torch/utils.h>

#include "amae/error.h"
#include "base/stop.h"
#include "data/loader.h"

namespace amae {

torch::Tensor features_of(Classifier& model, const torch::Tensor& x, torch::Device device) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor features = model.features(x.to(device)).to(torch::kCPU, torch::kFloat);
  if (const std::string reason = model.not_finite_because(x, features); !reason.empty())
    throw DivergenceError("features", "got features that are not finite: " + reason);
  return features;
}

torch::Tensor features_of(Classifier& model, const Pipeline& pipeline, const Batch& front, torch::Device device) {
  Batch batch = front;
  pipeline.run_eval(batch, 0, 1);
  return features_of(model, batch.x, device);
}

torch::Tensor features_of(Classifier& model, const FeatureCache& cache, const Pipeline& pipeline,
                          const std::vector<int64_t>& rows, int64_t batch_size, int workers, torch::Device device) {
  const EvalMode eval_mode(model.encoder());
  const auto batches = row_batches(rows, batch_size);
  std::vector<torch::Tensor> parts = {torch::empty({0, model.encoder().width()})};
  Loader loader(0, batches.size(), workers, [&](size_t number) { return cache.rows(batches[number]); });
  while (auto batch = loader.next()) {
    throw_if_stopped();
    parts.push_back(features_of(model, pipeline, *batch, device));
  }
  return torch::cat(parts);
}

FeatureScale::FeatureScale(const torch::Tensor& gallery) {
  TORCH_CHECK(gallery.dim() == 2 && gallery.size(0) > 0, "FeatureScale: gallery must be [N, D] with N > 0");
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = gallery.to(torch::kDouble);
  mean = x.mean(0);
  deviation = (x - mean).square().mean(0).sqrt();
  if (deviation.numel() > 0) deviation.masked_fill_(deviation <= 1e-6 * deviation.max(), 1.0);
}

torch::Tensor FeatureScale::operator()(const torch::Tensor& features) const {
  return (features.to(torch::kDouble) - mean) / deviation;
}

}  // namespace amae
