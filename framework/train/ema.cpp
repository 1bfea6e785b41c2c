#include "train/ema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>

#include "amae/error.h"

namespace amae {
namespace {

constexpr const char* kUpdates = "ema.updates";

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("{} [{}]", torch::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ", "));
}

/// Pairs of tensors of equal name: the averages, and what `module` holds. The set of names never changes.
struct Pairs {
  std::vector<torch::Tensor> averages, values;  // floating
  std::vector<torch::Tensor> kept, current;     // others
  Pairs(const TensorDict& average, const torch::nn::Module& module) {
    const TensorDict tensors = tensors_of(module);
    for (const auto& [name, tensor] : average) {
      const auto found = tensors.find(name);
      TORCH_CHECK(found != tensors.end(), "Ema: the module has no tensor ", name);
      const bool floating = tensor.is_floating_point();
      (floating ? averages : kept).push_back(tensor);
      (floating ? values : current).push_back(found->second);
    }
  }
};

}  // namespace

TensorDict tensors_of(const torch::nn::Module& module) {
  TensorDict tensors;
  for (const auto& p : module.named_parameters()) tensors[p.key()] = p.value().detach();
  for (const auto& b : module.named_buffers()) tensors[b.key()] = b.value().detach();
  return tensors;
}

Ema::Ema(const torch::nn::Module& module, double decay) : decay_(decay) {
  for (const auto& [name, tensor] : tensors_of(module)) average_[name] = tensor.clone();
}

void Ema::update(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  const auto n = static_cast<double>(updates_);
  const double decay = std::min(decay_, (1.0 + n) / (10.0 + n));
  ++updates_;
  Pairs pairs(average_, module);
  at::_foreach_lerp_(pairs.averages, pairs.values, 1.0 - decay);
  for (size_t i = 0; i < pairs.kept.size(); ++i) pairs.kept[i].copy_(pairs.current[i]);
}

void Ema::swap(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  // By value, not by exchanging storage: the optimizer and others hold tensors that share the module's memory.
  const TensorDict tensors = tensors_of(module);
  for (auto& [name, average] : average_) {
    torch::Tensor value = tensors.at(name);
    const torch::Tensor old = value.clone();
    value.copy_(average);
    average.copy_(old);
  }
}

TensorDict Ema::state() const {
  TensorDict state = average_;
  state[kUpdates] = torch::tensor(updates_, torch::kInt64);
  return state;
}

void Ema::load_state(const TensorDict& saved) {
  const torch::NoGradGuard no_grad;
  std::vector<Problem> problems;
  const TensorDict own = state();
  for (const auto& [name, tensor] : own) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems.push_back({"CKPT", "", name, fmt::format("got no such tensor, expected {}", shape_text(tensor))});
    } else if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
      problems.push_back(
          {"CKPT", "", name, fmt::format("got {}, expected {}", shape_text(found->second), shape_text(tensor))});
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));  // nothing was changed yet
  for (auto& [name, average] : average_) average.copy_(saved.at(name));
  updates_ = saved.at(kUpdates).item<int64_t>();
}

}  // namespace amae
