#include "train/classifier.h"

#include <torch/torch.h>

namespace amae {

Classifier::Classifier(std::shared_ptr<Encoder> encoder, int64_t classes, const HeadOptions& options)
    : encoder_(register_module("encoder", std::move(encoder))),
      head_(register_module("head", torch::nn::Linear(encoder_->width(), classes))),
      dropout_(options.dropout) {}

torch::Tensor Classifier::forward(const torch::Tensor& x) {
  torch::Tensor features = encoder_->forward(x);
  TORCH_CHECK(features.dim() == 2 && features.size(0) == x.size(0) && features.size(1) == encoder_->width(),
              "the encoder gave features of shape ", features.sizes(), ", expected [", x.size(0), ", ",
              encoder_->width(), "]");
  if (dropout_ > 0) features = torch::dropout(features, dropout_, is_training());
  return head_(features);
}

}  // namespace amae
