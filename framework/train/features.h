// Features of rows by a frozen encoder: what probes and embeddings are made of. Dimension letters: B batch, N rows,
// D width of the encoder.
#pragma once

#include <torch/types.h>

#include <vector>

#include "amae/encoder.h"
#include "data/cache.h"
#include "data/pipeline.h"

namespace amae {

/// While it lives the module is in eval mode; afterwards as it was before.
class EvalMode {
 public:
  explicit EvalMode(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvalMode() { module_.train(was_training_); }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

/// Features [B, D] float32 on the CPU of one batch of front outputs, by the pipeline's evaluation path (its plain view)
/// and the encoder as it stands, without gradient. Throws DivergenceError when one is not finite.
torch::Tensor features_of(Encoder& encoder, const Pipeline& pipeline, const Batch& front, torch::Device device);

/// Rows through the pipeline's evaluation path (its plain view) and the encoder, in eval mode without gradient ->
/// [N, D] float32 on the CPU, in the order of `rows`. The encoder's mode is as before afterwards. Throws Stopped on a
/// signal, and as above.
torch::Tensor features_of(Encoder& encoder, const FeatureCache& cache, const Pipeline& pipeline,
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
