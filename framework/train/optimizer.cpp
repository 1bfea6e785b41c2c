#include "train/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <map>
#include <utility>

#include "amae/error.h"

namespace amae {
namespace {

/// What one foreach kernel works on: parameters of equal rules, with their gradients and state.
struct Group {
  std::vector<torch::Tensor> weights, grads, first, second;
};

// Both steps write into the state they own and, but for one temporary in AdamW, allocate nothing: fresh large tensors
// cost page faults. The gradients are left as they are.

void step_sgd(Group& g, double lr, double weight_decay, double momentum, bool nesterov) {
  // With d = grad + weight_decay * w:  v = momentum * v + d;  w -= lr * v, or lr * (d + momentum * v) with Nesterov.
  if (momentum > 0) {
    at::_foreach_mul_(g.first, momentum);
    at::_foreach_add_(g.first, g.grads);
    if (weight_decay > 0) at::_foreach_add_(g.first, g.weights, weight_decay);
  }
  if (momentum > 0 && !nesterov) {
    at::_foreach_add_(g.weights, g.first, -lr);
    return;
  }
  if (weight_decay > 0) at::_foreach_mul_(g.weights, 1.0 - lr * weight_decay);
  at::_foreach_add_(g.weights, g.grads, -lr);
  if (momentum > 0) at::_foreach_add_(g.weights, g.first, -lr * momentum);
}

void step_adamw(Group& g, double lr, double weight_decay, double beta1, double beta2, double eps, int64_t step) {
  const auto n = static_cast<double>(step);
  const double correction1 = 1.0 - std::pow(beta1, n);
  const double correction2 = std::sqrt(1.0 - std::pow(beta2, n));
  if (weight_decay > 0) at::_foreach_mul_(g.weights, 1.0 - lr * weight_decay);
  at::_foreach_mul_(g.first, beta1);
  at::_foreach_add_(g.first, g.grads, 1.0 - beta1);
  at::_foreach_mul_(g.second, beta2);
  at::_foreach_addcmul_(g.second, g.grads, g.grads, 1.0 - beta2);
  // m / c1 / (sqrt(v) / c2 + eps), with c2 moved out of the tensors: one pass less.
  auto denominator = at::_foreach_sqrt(g.second);
  at::_foreach_add_(denominator, eps * correction2);
  at::_foreach_addcdiv_(g.weights, g.first, denominator, -lr * correction2 / correction1);
}

}  // namespace

void OptimOptions::describe(Fields& f) {
  f.add("name", name, "update rule").choices({"adamw", "sgd"});
  f.add("lr", lr, "learning rate at the peak of the schedule").range(0, 1000);
  f.add("weight_decay", weight_decay, "decoupled for adamw, in the gradient for sgd; not for biases and norms")
      .range(0, 1000);
  f.add("momentum", momentum, "sgd: part of the last step that is kept").range(0, 0.9999);
  f.add("nesterov", nesterov, "sgd: look ahead along the momentum");
  f.add("betas", betas, "adamw: memory of the gradient's mean and of its square").range(0, 0.999999);
  f.add("eps", eps, "adamw: added to the root of the mean square").range(0, 1);
  f.add("layer_decay", layer_decay, "factor on lr for each layer away from the head").range(0, 1);
}

void OptimOptions::check() const {
  if (betas.size() != 2) {
    throw InputError("CFG-RANGE", "", "betas",
                     fmt::format("got {} values {}, expected 2; for example [0.9, 0.999]", betas.size(), betas));
  }
}

std::vector<NamedParameter> parameter_rules(const std::vector<std::pair<std::string, torch::Tensor>>& parameters,
                                            double layer_decay, int64_t depth,
                                            const std::function<int64_t(const std::string&)>& layer_of) {
  const std::string prefix = "encoder.";
  std::vector<NamedParameter> rules;
  for (const auto& [name, tensor] : parameters) {
    if (!tensor.requires_grad()) continue;
    double scale = 1.0;
    if (name.starts_with(prefix)) {
      scale = std::pow(layer_decay, static_cast<double>(depth - layer_of(name.substr(prefix.size()))));
    }
    rules.push_back({name, tensor, scale, tensor.dim() >= 2});
  }
  return rules;
}

Optimizer::Optimizer(OptimOptions options, std::vector<NamedParameter> parameters)
    : options_(std::move(options)), parameters_(std::move(parameters)) {
  options_.check();
  TORCH_CHECK(options_.name == "adamw" || options_.name == "sgd", "unknown optimizer ", options_.name);
  const torch::NoGradGuard no_grad;
  for (const auto& p : parameters_) {
    const bool adamw = options_.name == "adamw";
    if (adamw || options_.momentum > 0) first_.push_back(torch::zeros_like(p.tensor));
    if (adamw) second_.push_back(torch::zeros_like(p.tensor));
  }
}

void Optimizer::step(double lr) {
  const torch::NoGradGuard no_grad;
  ++step_;
  std::map<std::pair<double, bool>, Group> groups;  // ordered: the same order of work in every run
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& p = parameters_[i];
    if (!p.tensor.grad().defined()) continue;
    Group& group = groups[{p.lr_scale, p.decay}];
    group.weights.push_back(p.tensor);
    group.grads.push_back(p.tensor.grad());
    if (!first_.empty()) group.first.push_back(first_[i]);
    if (!second_.empty()) group.second.push_back(second_[i]);
  }
  for (auto& [rule, group] : groups) {
    const auto [lr_scale, decay] = rule;
    const double weight_decay = decay ? options_.weight_decay : 0.0;
    if (options_.name == "sgd") {
      step_sgd(group, lr * lr_scale, weight_decay, options_.momentum, options_.nesterov);
    } else {
      step_adamw(group, lr * lr_scale, weight_decay, options_.betas[0], options_.betas[1], options_.eps, step_);
    }
  }
}

void Optimizer::zero_grad() {
  for (auto& p : parameters_) p.tensor.mutable_grad() = torch::Tensor();
}

double Optimizer::clip(double max_norm) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> grads;
  for (const auto& p : parameters_) {
    if (p.tensor.grad().defined()) grads.push_back(p.tensor.grad());
  }
  if (grads.empty()) return 0.0;
  const double norm = torch::stack(at::_foreach_norm(grads, 2)).to(torch::kDouble).norm().item<double>();
  // 1e-6 as in torch's clip_grad_norm_; it also keeps the rounded result below the limit.
  if (max_norm > 0 && std::isfinite(norm) && norm > max_norm) at::_foreach_mul_(grads, max_norm / (norm + 1e-6));
  return norm;
}

TensorDict Optimizer::state() const {
  TensorDict state{{"step", torch::tensor(step_, torch::kInt64)}};
  const bool adamw = options_.name == "adamw";
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!first_.empty()) state[parameters_[i].name + (adamw ? ".exp_avg" : ".momentum")] = first_[i];
    if (!second_.empty()) state[parameters_[i].name + ".exp_avg_sq"] = second_[i];
  }
  return state;
}

void Optimizer::load_state(const TensorDict& saved) {
  const torch::NoGradGuard no_grad;
  TensorDict own = state();  // shares memory with the buffers
  std::vector<Problem> problems;
  for (const auto& [name, tensor] : own) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems.push_back({"CKPT", "", name, "got no such tensor, expected optimizer state for this parameter"});
    } else if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
      problems.push_back({"CKPT", "", name,
                          fmt::format("got {} [{}], expected {} [{}]", torch::toString(found->second.scalar_type()),
                                      fmt::join(found->second.sizes(), ", "), torch::toString(tensor.scalar_type()),
                                      fmt::join(tensor.sizes(), ", "))});
    }
  }
  for (const auto& [name, tensor] : saved) {
    if (!own.contains(name)) {
      problems.push_back(
          {"CKPT", "", name,
           fmt::format("got a tensor, expected none: {} has no such state here; was the run trained with "
                       "other optimizer options or another model?",
                       options_.name)});
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));  // nothing was changed yet
  for (auto& [name, tensor] : own) tensor.copy_(saved.at(name));
  step_ = saved.at("step").item<int64_t>();
}

}  // namespace amae
