#include "train/evaluate.h"

#include <torch/types.h>
#include <torch/utils.h>

#include "base/stop.h"
#include "data/loader.h"
#include "data/threads.h"
#include "train/eval_mode.h"

namespace amae {

torch::Tensor probabilities(Classifier& model, const torch::Tensor& x, bool multi_label, torch::Device device) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor logits = model.forward(x.to(device)).to(torch::kCPU, torch::kFloat);
  return multi_label ? torch::sigmoid(logits) : torch::softmax(logits, 1);
}

torch::Tensor probabilities(Classifier& model, const std::vector<torch::Tensor>& views, bool multi_label,
                            torch::Device device) {
  torch::Tensor sum;
  for (const torch::Tensor& x : views) {
    const torch::Tensor p = probabilities(model, x, multi_label, device);
    sum = sum.defined() ? sum + p : p;
  }
  return sum / static_cast<double>(views.size());
}

std::vector<torch::Tensor> model_inputs(const Pipeline& pipeline, const Signal& signal, int64_t views) {
  const OneCore one_core;
  const Batch front = pipeline.run_front(signal, 0);
  std::vector<torch::Tensor> inputs;
  for (int64_t view = 0; view < views; ++view) {
    Batch batch = front;
    pipeline.run_eval(batch, view, views);
    inputs.push_back(batch.x);
  }
  return inputs;
}

torch::Tensor probabilities(Classifier& model, const Pipeline& pipeline, const Batch& front, int64_t views,
                            bool multi_label, torch::Device device) {
  torch::NoGradGuard no_grad;
  torch::Tensor sum;
  for (int64_t view = 0; view < views; ++view) {
    Batch batch = front;
    pipeline.run_eval(batch, view, views);
    const torch::Tensor p = probabilities(model, batch.x, multi_label, device);
    sum = view == 0 ? p : sum + p;
  }
  return sum / static_cast<double>(views);
}

Scores evaluate(Classifier& model, const FeatureCache& cache, const Pipeline& pipeline,
                const std::vector<int64_t>& rows, int64_t batch_size, int64_t views, int workers, bool multi_label,
                torch::Device device) {
  torch::NoGradGuard no_grad;
  const EvalMode eval_mode(model);
  Scores scores{rows, {}, targets_of(cache.dataset(), rows)};
  std::vector<torch::Tensor> parts;
  const auto batches = row_batches(rows, batch_size);
  Loader loader(0, batches.size(), workers, [&](size_t number) { return cache.rows(batches[number]); });
  while (auto batch = loader.next()) {
    throw_if_stopped();
    parts.push_back(probabilities(model, pipeline, *batch, views, multi_label, device));
  }
  if (!parts.empty()) scores.probabilities = torch::cat(parts);
  return scores;
}

double mean_log_loss(const Scores& scores, bool multi_label) {
  const torch::Tensor p = scores.probabilities.to(torch::kDouble).clamp(1e-12, 1.0),
                      y = scores.targets.to(torch::kDouble);
  torch::Tensor losses = y * p.log();
  if (multi_label)
    losses = (losses + (1 - y) * (1 - scores.probabilities.to(torch::kDouble)).clamp(1e-12, 1.0).log()) / y.size(1);
  return -losses.sum(1).mean().item<double>();
}

double accuracy(const Scores& scores, bool multi_label) {
  if (multi_label)
    return ((scores.probabilities >= 0.5) == (scores.targets > 0.5)).all(1).to(torch::kDouble).mean().item<double>();
  return (scores.probabilities.argmax(1) == scores.targets.argmax(1)).to(torch::kDouble).mean().item<double>();
}

}  // namespace amae
