#include "train/loss.h"

#include <torch/types.h>

namespace amae {

void LossOptions::describe(Fields& f) {
  f.add("name", name, "cross_entropy: one class a row (targets may be soft); binary: several labels a row")
      .choices({"cross_entropy", "binary"});
  f.add("label_smoothing", label_smoothing, "cross_entropy: part of the target that is spread over all classes")
      .unit("fraction")
      .range(0, 1);
}

torch::Tensor item_losses(const LossOptions& options, const torch::Tensor& logits, const torch::Tensor& target) {
  TORCH_CHECK(logits.dim() == 2 && logits.sizes() == target.sizes(), "item_losses: got logits ", logits.sizes(),
              " and target ", target.sizes(), ", expected both [B, K]");
  if (options.name == "binary") {
    return torch::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None).mean(1);
  }
  TORCH_CHECK(options.name == "cross_entropy", "item_losses: unknown loss ", options.name);
  const double smoothing = options.label_smoothing;
  const torch::Tensor smooth =
      smoothing > 0 ? target * (1.0 - smoothing) + smoothing / static_cast<double>(logits.size(1)) : target;
  return -(smooth * torch::log_softmax(logits, 1)).sum(1);
}

}  // namespace amae
