// Features of rows by a frozen encoder: what probes and embeddings are made of. Dimension letters: B batch, N rows,
// D width of the encoder.
#pragma once

#include <torch/types.h>

#include <vector>

#include "data/cache.h"
#include "data/pipeline.h"
#include "train/classifier.h"
#include "train/eval_mode.h"

namespace amae {

/// Features [B, D] float32 on the CPU of what has been through the whole front end, x [B, ...], by the model's encoder
/// as it stands, without gradient. Throws as Classifier::features() does, and DivergenceError when one is not finite.
torch::Tensor features_of(Classifier& model, const torch::Tensor& x, torch::Device device);

/// Features [B, D] float32 on the CPU of one batch of front outputs, by the pipeline's evaluation path (its plain view)
/// and the encoder as it stands, without gradient. Throws as above.
torch::Tensor features_of(Classifier& model, const Pipeline& pipeline, const Batch& front, torch::Device device);

/// Rows through the pipeline's evaluation path (its plain view) and the encoder, in eval mode without gradient ->
/// [N, D] float32 on the CPU, in the order of `rows`. The encoder's mode is as before afterwards. Throws Stopped on a
/// signal, and as above.
torch::Tensor features_of(Classifier& model, const FeatureCache& cache, const Pipeline& pipeline,
                          const std::vector<int64_t>& rows, int64_t batch_size, int workers, torch::Device device);

/// Mean and deviation (of the population, in float64) of each feature over a gallery, to put other features on its
/// scale.
struct FeatureScale {
  torch::Tensor mean, deviation;  ///< [D] float64
  /// gallery [N, D], N > 0. Deviations of at most 1e-6 of the largest count as 1: such a feature tells nothing, and
  /// divided by its deviation its rounding errors would count as much as the others.
  explicit FeatureScale(const torch::Tensor& gallery);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& features) const;  ///< [M, D] -> [M, D] float64
};

}  // namespace amae
