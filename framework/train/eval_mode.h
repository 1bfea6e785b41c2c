// A module in evaluation mode for a while.
#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <utility>
#include <vector>

namespace amae {

/// While it lives the module is in eval mode; afterwards it and each of its parts are as they were before.
class EvalMode {
 public:
  explicit EvalMode(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
    for (const auto& part : module.modules(/*include_self=*/false)) parts_.emplace_back(part, part->is_training());
    module_.eval();
  }
  ~EvalMode() {
    // train() sets what is inside too, which comes later in the list.
    module_.train(was_training_);
    for (const auto& [part, was_training] : parts_) part->train(was_training);
  }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> parts_;
};

}  // namespace amae
