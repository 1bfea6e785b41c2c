#include "train/classifier.h"

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

namespace amae {

Classifier::Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options)
    : encoder_(register_module("encoder", std::move(encoder))), dropout_(options.dropout) {
  if (classes > 0) head_ = register_module("head", torch::nn::Linear(encoder_->width(), classes));
}

torch::Tensor Classifier::forward(const torch::Tensor& x) {
  if (!has_head()) throw std::logic_error("a classifier without a head gives no logits");
  torch::Tensor features = encoder_->forward(x);
  TORCH_CHECK(features.dim() == 2 && features.size(0) == x.size(0) && features.size(1) == encoder_->width(),
              "the encoder gave features of shape ", features.sizes(), ", expected [", x.size(0), ", ",
              encoder_->width(), "]");
  if (dropout_ > 0) features = torch::dropout(features, dropout_, is_training());
  return head_(features);
}

void Classifier::train(bool on) {
  torch::nn::Module::train(on);
  if (!on) return;
  const auto is_frozen = [](const torch::nn::Module& module, bool recurse) {
    const auto parameters = module.parameters(recurse);
    return !parameters.empty() &&
           std::none_of(parameters.begin(), parameters.end(), [](const torch::Tensor& p) { return p.requires_grad(); });
  };
  if (is_frozen(*encoder_, /*recurse=*/true)) return encoder_->eval();
  // train() sets what is inside a part too, which comes later in the list.
  for (const auto& part : encoder_->modules(/*include_self=*/false)) part->train(!is_frozen(*part, /*recurse=*/false));
}

}  // namespace amae
