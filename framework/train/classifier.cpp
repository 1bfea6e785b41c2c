#include "train/classifier.h"

#include <fmt/format.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

namespace amae {

Classifier::Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options, Origin origin)
    : encoder_(register_module("encoder", std::move(encoder))), dropout_(options.dropout), origin_(std::move(origin)) {
  if (classes > 0) head_ = register_module("head", torch::nn::Linear(encoder_->width(), classes));
}

torch::Tensor Classifier::features(const torch::Tensor& x) {
  torch::Tensor features = guarded_call(origin_, "failed in forward", [&] { return encoder_->forward(x); });
  if (!features.defined() || !features.is_floating_point() || features.dim() != 2 || features.size(0) != x.size(0) ||
      features.size(1) != encoder_->width()) {
    blame(origin_, fmt::format("gave features {} for {}, expected float [{}, {}]", tensor_text(features),
                               tensor_text(x), x.size(0), encoder_->width()));
  }
  return features.to(torch::kFloat);  // what the head computes in
}

torch::Tensor Classifier::logits(const torch::Tensor& features) {
  if (!has_head()) throw std::logic_error("a classifier without a head gives no logits");
  return head_(dropout_ > 0 ? torch::dropout(features, dropout_, is_training()) : features);
}

torch::Tensor Classifier::forward(const torch::Tensor& x) {
  if (!has_head()) throw std::logic_error("a classifier without a head gives no logits");
  return logits(features(x));
}

std::string Classifier::not_finite_because(const torch::Tensor& x, const torch::Tensor& made) const {
  const auto is_finite = [](const torch::Tensor& t) { return torch::isfinite(t.detach()).all().item<bool>(); };
  if (is_finite(made)) return "";
  if (!is_finite(x)) return "the model's input is not finite";
  for (const auto& list : {named_parameters(), named_buffers()}) {
    for (const auto& item : list) {
      if (!is_finite(item.value())) return item.key() + " is not finite";
    }
  }
  return fmt::format("{}{} makes them of finite input and weights", origin_.text(),
                     origin_.file.empty() ? "" : " of " + origin_.file);
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
