// Losses on logits and class weights. B batch, K classes.
#pragma once

#include <torch/types.h>

#include <string>

#include "amae/options.h"

namespace amae {

struct LossOptions {
  std::string name = "cross_entropy";  ///< cross_entropy | binary (one sigmoid a class, for several labels a row)
  double label_smoothing = 0.0;        ///< target = (1 - s) * target + s / K (cross_entropy); 0..1
  void describe(Fields& f);
};

/// Loss of each item: logits [B, K], target [B, K] (one-hot, soft, or multi-hot) -> [B]. cross_entropy is
/// -sum(target * log_softmax(logits)); binary is the mean over classes of the binary cross-entropy with logits.
torch::Tensor item_losses(const LossOptions& options, const torch::Tensor& logits, const torch::Tensor& target);

}  // namespace amae
