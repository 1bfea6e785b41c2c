#include "compliance/trial.h"

#include <torch/utils.h>

#include <algorithm>
#include <new>

#include "compliance/allocation_limit.h"
#include "compliance/inputs.h"
#include "config/override.h"
#include "config/read.h"

namespace amae::compliance {
namespace {

constexpr size_t kMostBytes = size_t{1} << 29;  // of tensors for one component: 130 million weights

// Of an item: five seconds of stereo at 44.1 kHz are less. Longer ones take long and show no more.
constexpr int64_t kManyNumbers = 500'000;

int64_t numbers_of(const Spec& spec) {
  int64_t count = 1;
  for (const int64_t size : spec.shape) count *= std::max<int64_t>(size, 1);
  return count;
}

std::string first_line(const char* text) {
  const std::string all = text;
  return all.substr(0, all.find('\n'));
}

/// Calls a factory and lets nothing but a refusal out.
template <class Call>
auto guarded(const Subject& subject, const Call& call) {
  const AllocationLimit limit(kMostBytes);
  try {
    auto made = call();
    if (made == nullptr) fail(subject, "the factory gave null, expected the component or an InputError");
    return made;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Skipped(fmt::format("needs more than {} MiB here", kMostBytes >> 20));
  } catch (const std::exception& error) {
    fail(subject, fmt::format("the factory threw: {}; expected an InputError that names the option or the input",
                              first_line(error.what())));
  } catch (...) {
    fail(subject, "the factory threw what is no std::exception, expected an InputError");
  }
}

std::string name_of(const Example& example) { return example == nullptr ? "defaults" : example->mark.text(); }

/// The file that would hold examples of the subject.
std::string examples_file(const Subject& subject) {
  return subject.info->plugin->path.stem().string() + ".examples.yaml";
}

bool is_about_input(const InputError& error) {
  return std::any_of(error.problems().begin(), error.problems().end(),
                     [](const Problem& p) { return p.field == "input" || p.code == "CFG-SPEC"; });
}

}  // namespace

void fail(const Subject& subject, const std::string& message) {
  throw CheckFailed(subject.info->plugin->path.string(),
                    fmt::format("{} {}: {}", subject.info->kind, subject.info->key, message));
}

Component options_for(const Subject& subject, const Example& example, const std::vector<std::string>& overrides) {
  config::NodePtr tree = example == nullptr ? std::make_shared<config::Node>() : example->copy();
  if (example == nullptr) tree->kind = config::Node::Kind::map;
  std::vector<Problem> problems;
  for (const std::string& override : overrides) config::apply_override(tree, override, "<check>", {}, problems);
  Component component;
  component.name = subject.info->key;
  component.node = tree;
  component.options = subject.info->make_options();
  Fields fields;
  component.options->describe(fields);
  if (problems.empty()) config::read_fields(tree.get(), fields, "", tree->mark, {}, problems);
  if (!problems.empty()) throw InputError(std::move(problems));
  component.options->check();
  return component;
}

std::vector<Example> bases_of(const Subject& subject) {
  std::vector<Example> bases;
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  const bool is_complete =
      std::none_of(fields.all().begin(), fields.all().end(), [](const Field& field) { return field.is_required; });
  if (is_complete) bases.push_back(nullptr);
  bases.insert(bases.end(), subject.examples.begin(), subject.examples.end());
  return bases;
}

std::shared_ptr<Encoder> make_model(const Subject& subject, const Component& options, const Spec& input,
                                    bool reconstructs) {
  torch::manual_seed(subject.seed);
  return guarded(subject, [&] {
    return subject.info->make_model(*options.options, ModelContext{input, subject.seed, reconstructs});
  });
}

std::unique_ptr<Dataset> make_dataset(const Subject& subject, const Component& options) {
  return guarded(subject, [&] { return subject.info->make_dataset(*options.options); });
}

std::unique_ptr<Transform> make_transform(const Subject& subject, const Component& options) {
  return guarded(subject, [&] { return subject.info->make_transform(*options.options); });
}

void make_once(const Subject& subject, const Component& options) {
  if (subject.info->kind == "dataset") return static_cast<void>(make_dataset(subject, options));
  if (subject.info->kind == "transform") return static_cast<void>(make_transform(subject, options));
  std::exception_ptr refusal;
  for (const Spec& input : standard_inputs()) {
    try {
      return static_cast<void>(make_model(subject, options, input));
    } catch (const InputError& error) {
      refusal = std::current_exception();
      if (!is_about_input(error) && !names_option(subject, error)) break;
    }
  }
  std::rethrow_exception(refusal);
}

bool names_option(const Subject& subject, const InputError& error) {
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  return std::any_of(error.problems().begin(), error.problems().end(), [&](const Problem& problem) {
    return is_about_input(error) || std::any_of(fields.all().begin(), fields.all().end(), [&](const Field& field) {
             return problem.field == field.name || problem.field.starts_with(field.name + ".");
           });
  });
}

std::vector<ModelTrial> model_trials(const Subject& subject, size_t most, bool reconstructs) {
  std::vector<ModelTrial> trials;
  std::string refusal = "it has neither defaults nor examples";
  const std::vector<Example> bases = bases_of(subject);
  for (const Example& base : bases) {
    const Component options = options_for(subject, base);
    for (const Spec& input : standard_inputs()) {
      if (trials.size() == most) return trials;
      try {
        auto model = make_model(subject, options, input, reconstructs);
        trials.push_back({name_of(base) + ", " + input.text(), input, std::move(model), options});
      } catch (const InputError& error) {
        refusal = first_line(error.what());
      }
    }
  }
  expect(subject, !trials.empty(), "takes none of the {} usual inputs, the last because: {}", standard_inputs().size(),
         refusal);
  return trials;
}

DatasetTrial dataset_trial(const Subject& subject) {
  std::string refusal = "its options are not complete without some";
  for (const Example& base : bases_of(subject)) {
    try {
      Component options = options_for(subject, base);
      auto dataset = make_dataset(subject, options);
      return {std::move(dataset), std::move(options)};
    } catch (const InputError& error) {
      if (base != nullptr) fail(subject, fmt::format("its example is refused: {}", first_line(error.what())));
      refusal = first_line(error.what());
    }
  }
  throw Skipped(fmt::format("there are no options to try it with in {} ({})", examples_file(subject), refusal));
}

void fit_on_noise(Transform& transform, const Spec& input, uint64_t seed) {
  uint64_t round = 0;
  transform.fit([&](Batch& batch) {
    if (round == 2) return false;
    batch = noise_batch(input, 4, seed + 1000 + round++);
    return true;
  });
}

std::vector<TransformTrial> transform_trials(const Subject& subject) {
  std::vector<TransformTrial> trials;
  std::string refusal = "it has neither defaults nor examples";
  bool is_made = false;
  for (const Example& base : bases_of(subject)) {
    Component options;
    try {
      options = options_for(subject, base);
      static_cast<void>(make_transform(subject, options));
    } catch (const InputError& error) {
      if (base != nullptr) fail(subject, fmt::format("its example is refused: {}", first_line(error.what())));
      refusal = first_line(error.what());  // such as a factor that has no default worth having
      continue;
    }
    is_made = true;
    for (const Spec& input : standard_inputs()) {
      auto transform = make_transform(subject, options);
      try {
        static_cast<void>(transform->output(input, Mode::train));
        static_cast<void>(transform->output(input, Mode::eval));
      } catch (const InputError& error) {
        refusal = first_line(error.what());
        continue;
      }
      if (!trials.empty() && numbers_of(transform->output(input, Mode::train)) > kManyNumbers) continue;
      if (transform->needs_fit()) fit_on_noise(*transform, input, subject.seed);
      trials.push_back({name_of(base) + ", " + input.text(), input, std::move(transform), options});
    }
  }
  if (!is_made)
    throw Skipped(fmt::format("there are no options to try it with in {} ({})", examples_file(subject), refusal));
  expect(subject, !trials.empty(), "takes none of the {} usual inputs, the last because: {}", standard_inputs().size(),
         refusal);
  return trials;
}

}  // namespace amae::compliance
