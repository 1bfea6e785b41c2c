// Scores of a classifier over rows, averaged over evaluation views.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "data/cache.h"
#include "data/pipeline.h"
#include "train/classifier.h"

namespace amae {

struct Scores {
  std::vector<int64_t> rows;
  torch::Tensor probabilities;  ///< [N, K] float32: softmax, or sigmoid for several labels; mean over views
  torch::Tensor targets;        ///< [N, K] float32; undefined without labels
};

/// Rows through the pipeline's evaluation path, `views` passes, in eval mode without gradient. Throws Stopped on a
/// signal.
Scores evaluate(Classifier& model, const FeatureCache& cache, const Pipeline& pipeline,
                const std::vector<int64_t>& rows, int64_t batch_size, int64_t views, int workers, bool multi_label,
                torch::Device device);

/// Probabilities [B, K] float32 on the CPU of what has been through the whole front end, x [B, ...], without gradient.
torch::Tensor probabilities(Classifier& model, const torch::Tensor& x, bool multi_label, torch::Device device);

/// The same, averaged over the views of x.
torch::Tensor probabilities(Classifier& model, const std::vector<torch::Tensor>& views, bool multi_label,
                            torch::Device device);

/// What the model gets of one signal in each evaluation view, [1, ...]; computed on one core, as a loader's workers do,
/// so that the numbers are theirs.
std::vector<torch::Tensor> model_inputs(const Pipeline& pipeline, const Signal& signal, int64_t views);

/// Probabilities [B, K] of one batch of front outputs, averaged over views; the one path that training, evaluation and
/// prediction share.
torch::Tensor probabilities(Classifier& model, const Pipeline& pipeline, const Batch& front, int64_t views,
                            bool multi_label, torch::Device device);

/// -log of the probability of the target (cross-entropy with the mean probabilities), mean over items.
double mean_log_loss(const Scores& scores, bool multi_label);

/// Share of rows whose highest score is at the highest target (or, with several labels, all right at 0.5).
double accuracy(const Scores& scores, bool multi_label);

}  // namespace amae
