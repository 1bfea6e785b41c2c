#include "train/linear_probe.h"

#include <torch/optim/lbfgs.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "train/features.h"

namespace amae {

void LinearProbeOptions::describe(Fields& f) {
  f.add("l2", l2, "weight of half the squared norm of the weights, against the mean loss").range(1e-9, 1e6);
  f.add("iterations", iterations, "at most, of L-BFGS").range(1, 100'000);
}

torch::Tensor linear_probe_scores(const LinearProbeOptions& options, const torch::Tensor& gallery,
                                  const torch::Tensor& targets, bool multi_label, const torch::Tensor& queries) {
  TORCH_CHECK(gallery.dim() == 2 && gallery.size(0) > 0 && targets.dim() == 2 && targets.size(0) == gallery.size(0) &&
                  queries.dim() == 2 && queries.size(1) == gallery.size(1),
              "linear_probe_scores: got gallery ", gallery.sizes(), ", targets ", targets.sizes(), ", queries ",
              queries.sizes());
  const FeatureScale scale(gallery);
  const torch::Tensor x = scale(gallery), y = targets.to(torch::kCPU, torch::kDouble);
  const auto items = static_cast<double>(x.size(0));
  const torch::AutoGradMode with_gradient(true);  // the caller may have switched it off for the encoder's sake
  const torch::Tensor weight = torch::zeros({y.size(1), x.size(1)}, torch::kDouble).requires_grad_();
  const torch::Tensor bias = torch::zeros({y.size(1)}, torch::kDouble).requires_grad_();

  torch::optim::LBFGS optimizer({weight, bias}, torch::optim::LBFGSOptions(1)
                                                    .max_iter(options.iterations)
                                                    .tolerance_grad(1e-9)
                                                    .tolerance_change(1e-14)
                                                    .history_size(20)
                                                    .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const torch::Tensor logits = torch::linear(x, weight, bias);
    const torch::Tensor losses =
        multi_label ? torch::softplus(logits) - y * logits : -y * torch::log_softmax(logits, 1);
    const torch::Tensor loss = losses.sum() / items + options.l2 / 2 * weight.square().sum();
    loss.backward();
    return loss;
  });

  const torch::NoGradGuard no_grad;
  const torch::Tensor logits = torch::linear(scale(queries), weight, bias);
  return (multi_label ? torch::sigmoid(logits) : torch::softmax(logits, 1)).to(torch::kFloat);
}

}  // namespace amae
