#include "data/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>

#include "base/text.h"
#include "config/read.h"

namespace amae {

InputError with_giver(const InputError& error, const std::string& giver) {
  std::vector<Problem> problems = error.problems();
  for (Problem& problem : problems) {
    if (problem.field == "input" || problem.field.ends_with(".input")) problem.message += "; it comes from " + giver;
  }
  return InputError(std::move(problems));
}

Pipeline::Pipeline(const Registry& registry, const std::vector<Component>& transforms, const Spec& input,
                   const std::string& input_from, bool for_training)
    : input_(input), giver_(input_from), train_specs_{input}, eval_specs_{input} {
  bool in_front = true;
  for (size_t i = 0; i < transforms.size(); ++i) {
    const Component& component = transforms[i];
    const std::string path = "transforms." + (component.id.empty() ? component.name : component.id);
    std::unique_ptr<Transform> transform = registry.make_transform(component, path);
    const auto trace = [&](std::vector<Spec>& specs, Mode mode) {
      try {
        specs.push_back(transform->output(specs.back(), mode));
      } catch (const InputError& error) {
        rethrow_with_place(with_giver(error, giver_), component.node.get(), path);
      }
    };
    if (for_training) trace(train_specs_, Mode::train);
    trace(eval_specs_, Mode::eval);
    if (!for_training) train_specs_.push_back(eval_specs_.back());
    in_front = in_front && !transform->random() && !transform->needs_fit();
    if (in_front) {
      ++front_;
      Fields fields;
      component.options->describe(fields);
      front_key_ += fmt::format("{} v{}\n{}\n", component.name, transform->version(), config::to_yaml(fields));
    }
    paths_.push_back(path);
    giver_ = component.node ? fmt::format("{} at {}", path, component.node->mark.text()) : path;
    transforms_.push_back(std::move(transform));
  }
}

void Pipeline::run(Batch& batch, size_t begin, size_t end, const Stage* train_stage, int64_t view,
                   int64_t views) const {
  const at::NoGradGuard no_grad;
  for (size_t i = begin; i < end; ++i) {
    const Transform& transform = *transforms_[i];
    try {
      if (train_stage == nullptr && transform.random()) {
        transform.apply_eval(batch, view, views);
      } else {
        Stage stage = train_stage != nullptr ? *train_stage : Stage{};
        stage.index = static_cast<uint32_t>(i);
        transform.apply(batch, stage);
      }
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {  // LibTorch's message is long; its first line says what
      const std::string text = error.what();
      throw InputError("TRANSFORM", "", paths_[i], fmt::format("failed: {}", text.substr(0, text.find('\n'))));
    }
  }
}

Batch Pipeline::run_front(const Signal& signal, int64_t row) const {
  Batch batch{signal.samples.unsqueeze(0), {}, {row}, signal.rate_hz};
  run(batch, 0, front_, nullptr, 0, 1);
  return batch;
}

void Pipeline::run_train(Batch& batch, Stage stage) const { run(batch, front_, transforms_.size(), &stage, 0, 1); }

void Pipeline::run_eval(Batch& batch, int64_t view, int64_t views) const {
  run(batch, front_, transforms_.size(), nullptr, view, views);
}

bool Pipeline::needs_fit() const {
  return std::any_of(transforms_.begin(), transforms_.end(), [](const auto& t) { return t->needs_fit(); });
}

void Pipeline::fit(size_t batches, const std::function<Batch(size_t)>& front_batch) {
  for (size_t i = front_; i < transforms_.size(); ++i) {
    if (!transforms_[i]->needs_fit()) continue;
    size_t next = 0;
    transforms_[i]->fit([&](Batch& batch) {
      if (next == batches) return false;
      batch = front_batch(next++);
      run(batch, front_, i, nullptr, 0, 1);
      return true;
    });
  }
}

TensorDict Pipeline::state() const {
  TensorDict result;
  for (size_t i = 0; i < transforms_.size(); ++i) {
    for (const auto& [name, tensor] : transforms_[i]->state()) result[fmt::format("{}.{}", i, name)] = tensor;
  }
  return result;
}

void Pipeline::load_state(const TensorDict& state) {
  for (size_t i = 0; i < transforms_.size(); ++i) {
    if (!transforms_[i]->needs_fit()) continue;
    const std::string prefix = fmt::format("{}.", i);
    TensorDict own;
    for (const auto& [name, tensor] : state) {
      if (name.rfind(prefix, 0) == 0) own[name.substr(prefix.size())] = tensor;
    }
    transforms_[i]->load_state(own);
  }
}

}  // namespace amae
