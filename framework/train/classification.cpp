#include "train/classification.h"

#include <torch/types.h>

#include "train/evaluate.h"

namespace amae {

BatchResult ClassificationObjective::forward(const Batch& batch, const Stage& /*stage*/) {
  const torch::Tensor features = setup_.model->features(batch.x), logits = setup_.model->logits(features);
  const torch::Tensor loss = item_losses(setup_.loss, logits, batch.y).sum();
  const torch::Tensor guess = logits.detach();
  const torch::Tensor right =
      several_labels() ? ((guess >= 0) == (batch.y > 0.5)).all(1) : guess.argmax(1) == batch.y.argmax(1);
  return {loss, {{"accuracy", static_cast<double>(right.sum().item<int64_t>())}}, features};
}

Figures ClassificationObjective::validate() {
  const Scores scores = evaluate(*setup_.model, *setup_.cache, *setup_.pipeline, setup_.val_rows,
                                 setup_.eval_batch_size, 1, setup_.workers, several_labels(), setup_.device);
  return {{"loss", mean_log_loss(scores, several_labels())}, {"accuracy", accuracy(scores, several_labels())}};
}

}  // namespace amae
