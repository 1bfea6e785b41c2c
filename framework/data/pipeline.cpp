#include "data/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/read.h"

namespace amae {

namespace {

/// True for float32 of that many items and of the spec's sizes.
bool fits(const at::Tensor& x, const Spec& spec, int64_t items) {
  if (!x.defined() || x.scalar_type() != at::kFloat) return false;
  if (x.dim() != std::ssize(spec.shape) + 1 || x.size(0) != items) return false;
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    if (spec.shape[i] >= 0 && spec.shape[i] != x.size(static_cast<int64_t>(i) + 1)) return false;
  }
  return true;
}

}  // namespace

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
    const Origin& origin = origins_.emplace_back(origin_of(registry, "transform", component.name, path));
    const auto trace = [&](std::vector<Spec>& specs, Mode mode) {
      specs.push_back(guarded_call(origin, "cannot tell its output", [&] {
        try {
          return transform->output(specs.back(), mode);
        } catch (const InputError& error) {
          rethrow_with_place(with_giver(error, giver_), component.node.get(), path);
        }
      }));
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

std::vector<double> Pipeline::bin_frequencies_hz() const {
  std::vector<double> hz;
  for (size_t i = 0; i < transforms_.size(); ++i) {
    std::vector<double> own;
    guarded_call(origins_[i], "failed", [&] { own = transforms_[i]->bin_frequencies_hz(eval_specs_[i]); });
    const Spec& made = eval_specs_[i + 1];
    if (!own.empty()) hz = std::move(own);
    if (made.domain != Domain::spectrogram || made.shape[1] != std::ssize(hz)) hz.clear();
  }
  return hz;
}

void Pipeline::run(Batch& batch, size_t begin, size_t end, const Stage* train_stage, int64_t view,
                   int64_t views) const {
  const at::NoGradGuard no_grad;
  const std::vector<Spec>& announced = train_stage != nullptr ? train_specs_ : eval_specs_;
  const int64_t items = batch.size();
  const bool is_announced = fits(batch.x, announced[begin], items);  // else it is a caller's matter what comes out
  for (size_t i = begin; i < end; ++i) {
    const Transform& transform = *transforms_[i];
    guarded_call(origins_[i], "failed", [&] {
      if (train_stage == nullptr && transform.random()) {
        transform.apply_eval(batch, view, views);
      } else {
        Stage stage = train_stage != nullptr ? *train_stage : Stage{};
        stage.index = static_cast<uint32_t>(i);
        transform.apply(batch, stage);
      }
    });
    if (is_announced && !fits(batch.x, announced[i + 1], items)) {
      blame(origins_[i], fmt::format("gave {} for {} items, announced as {} of float", tensor_text(batch.x), items,
                                     announced[i + 1].text()));
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
    guarded_call(origins_[i], "failed to learn from the training split", [&] {
      transforms_[i]->fit([&](Batch& batch) {
        if (next == batches) return false;
        batch = front_batch(next++);
        run(batch, front_, i, nullptr, 0, 1);
        return true;
      });
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
    guarded_call(origins_[i], "failed to load its state", [&] { transforms_[i]->load_state(own); });
  }
}

}  // namespace amae
