// What every encoder must keep, whatever it computes. Dimension letters: B items, D = width().
#include <torch/utils.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "compliance/catalogue.h"
#include "compliance/inputs.h"
#include "compliance/trial.h"
#include "io/safetensors.h"

namespace amae::compliance {
namespace of_models {  // several files go to one call of the compiler

// Two ways of computing one product (one item, several) may add up in another order. Measured on the models of the
// tree: below 2e-6 of the largest feature.
constexpr double kTolerance = 1e-4;

std::string text(at::IntArrayRef sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

/// forward() with its own exceptions told as failures.
at::Tensor forward(const Subject& subject, Encoder& model, const at::Tensor& x) {
  try {
    return model.forward(x);
  } catch (const std::exception& error) {
    const std::string all = error.what();
    fail(subject, fmt::format("forward of {} threw: {}", text(x.sizes()), all.substr(0, all.find('\n'))));
  }
}

at::Tensor features(const Subject& subject, Encoder& model, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  model.eval();
  at::Tensor y = forward(subject, model, x);
  expect(subject, y.defined() && y.dim() == 2 && y.size(0) == x.size(0) && y.size(1) == model.width(),
         "gives features {} for {}, expected [{}, {}]", y.defined() ? text(y.sizes()) : "that are undefined",
         text(x.sizes()), x.size(0), model.width());
  return y;
}

/// Largest difference, as a share of the largest value.
double difference(const at::Tensor& a, const at::Tensor& b) {
  const double scale = std::max(1e-6, a.abs().max().item<double>());
  return (a - b).abs().max().item<double>() / scale;
}

void gives_features(const Subject& subject) {
  for (const ModelTrial& trial : model_trials(subject)) {
    for (const int64_t items : {1, 3}) {
      const at::Tensor y = features(subject, *trial.model, noise_batch(trial.input, items, subject.seed).x);
      expect(subject, y.is_floating_point(), "gives features that are no floating point numbers ({})", trial.name);
    }
  }
}

void gives_finite_features(const Subject& subject) {
  for (const ModelTrial& trial : model_trials(subject)) {
    for (const auto& [name, item] : hard_items(trial.input, subject.seed)) {
      const at::Tensor y = features(subject, *trial.model, item.x);
      const int64_t bad = y.numel() - y.isfinite().sum().item<int64_t>();
      expect(subject, bad == 0, "{} of {} features of {} are not finite ({})", bad, y.numel(), name, trial.name);
    }
  }
}

void names_its_layers(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  expect(subject, trial.model->width() > 0, "has width {}", trial.model->width());
  const int64_t depth = trial.model->depth();
  expect(subject, depth >= 1, "has depth {}, expected at least 1", depth);
  for (const auto& parameter : trial.model->named_parameters()) {
    const int64_t layer = trial.model->layer_of(parameter.key());
    expect(subject, layer >= 0 && layer < depth, "puts {} in layer group {}, expected 0 to {}", parameter.key(), layer,
           depth - 1);
  }
}

void shows_sound_feature_maps(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  const at::Tensor x = noise_batch(trial.input, 2, subject.seed).x;
  trial.model->eval();
  std::set<std::string> names;
  const auto maps = trial.model->feature_maps(x);
  if (maps.empty()) throw Skipped("shows no feature maps");
  for (const auto& [name, map] : maps) {
    expect(subject, !name.empty() && names.insert(name).second, "has no name, or one twice, for feature map '{}'",
           name);
    expect(subject, map.defined() && (map.dim() == 3 || map.dim() == 4) && map.size(0) == 2,
           "feature map {} is {}, expected [2, C, H, W] or [2, C, N]", name,
           map.defined() ? text(map.sizes()) : "undefined");
    expect(subject, !map.requires_grad(), "feature map {} is not detached", name);
    expect(subject, map.isfinite().all().item<bool>(), "feature map {} is not finite", name);
  }
}

void refuses_what_it_cannot_take(const Subject& subject) {
  const Component options = options_for(subject, bases_of(subject).empty() ? nullptr : bases_of(subject).front());
  for (const Spec& input : standard_inputs()) {
    try {
      static_cast<void>(make_model(subject, options, input));
    } catch (const InputError& error) {
      expect(subject, names_option(subject, error), "refuses {} without the name of an option or of the input: {}",
             input.text(), error.problems().front().line());
    }
  }
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  const at::NoGradGuard no_grad;
  trial.model->eval();
  const at::Tensor x = noise_batch(trial.input, 1, subject.seed).x.unsqueeze(0).unsqueeze(0);
  try {
    static_cast<void>(trial.model->forward(x));
  } catch (const std::exception&) {
    return;
  }
  fail(subject, fmt::format("takes {}, which has two dimensions too many", text(x.sizes())));
}

void is_deterministic(const Subject& subject) {
  for (const ModelTrial& trial : model_trials(subject, 2)) {
    const at::Tensor x = noise_batch(trial.input, 3, subject.seed).x;
    torch::manual_seed(1);
    const at::Tensor first = features(subject, *trial.model, x);
    torch::manual_seed(2);
    const at::Tensor second = features(subject, *trial.model, x);
    expect(subject, at::equal(first, second), "gives other features for the same input in eval mode: {} of the largest",
           difference(first, second));
  }
}

void keeps_its_state_in_eval(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  std::map<std::string, at::Tensor> before;
  for (const auto& item : trial.model->named_buffers()) before[item.key()] = item.value().detach().clone();
  for (const auto& item : trial.model->named_parameters()) before[item.key()] = item.value().detach().clone();
  static_cast<void>(features(subject, *trial.model, noise_batch(trial.input, 3, subject.seed).x));
  for (const auto& list : {trial.model->named_buffers(), trial.model->named_parameters()}) {
    for (const auto& item : list)
      expect(subject, at::equal(before.at(item.key()), item.value()), "changes {} in eval mode", item.key());
  }
}

void does_not_look_at_the_batch(const Subject& subject) {
  for (const ModelTrial& trial : model_trials(subject, 2)) {
    const at::Tensor x = noise_batch(trial.input, 5, subject.seed).x;
    const at::Tensor together = features(subject, *trial.model, x);
    const at::Tensor turned = features(subject, *trial.model, x.flip(0)).flip(0);
    expect(subject, difference(together, turned) < kTolerance,
           "gives an item other features in another order of the batch: {} of the largest, expected below {}",
           difference(together, turned), kTolerance);
    for (int64_t item = 0; item < x.size(0); ++item) {
      const at::Tensor alone = features(subject, *trial.model, x.slice(0, item, item + 1));
      const double change = difference(together.slice(0, item, item + 1), alone);
      expect(subject, change < kTolerance,
             "gives an item other features alone than in a batch: {} of the largest, "
             "expected below {}",
             change, kTolerance);
    }
  }
}

void leaves_its_input_alone(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  for (const bool trains : {false, true}) {
    const at::Tensor x = noise_batch(trial.input, 3, subject.seed).x, before = x.clone();
    trial.model->train(trains);
    static_cast<void>(forward(subject, *trial.model, x));
    expect(subject, at::equal(x, before), "writes into its input in {} mode", trains ? "training" : "eval");
  }
}

void learns_everywhere(const Subject& subject) {
  bool is_seen = false;
  for (const ModelTrial& trial : model_trials(subject, 2)) {
    const auto parameters = trial.model->parameters();
    const bool trains =
        std::any_of(parameters.begin(), parameters.end(), [](const at::Tensor& p) { return p.requires_grad(); });
    if (!trains) continue;
    is_seen = true;
    trial.model->train();
    torch::manual_seed(3);
    const at::Tensor y = forward(subject, *trial.model, noise_batch(trial.input, 4, subject.seed).x);
    // Weighted, since the sum of what a normalisation gives is constant.
    const at::Tensor weights =
        noise_batch({Domain::spectrogram, {1, 1, y.size(1)}, 0, Level::other}, 4, 5).x.view({4, -1});
    expect(subject, y.requires_grad(), "gives features without a gradient in training mode");
    (y * weights).sum().backward();
    bool learns = false;
    for (const auto& item : trial.model->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      const at::Tensor gradient = item.value().grad();
      expect(subject, gradient.defined(), "parameter {} gets no gradient ({})", item.key(), trial.name);
      expect(subject, gradient.isfinite().all().item<bool>(), "parameter {} gets a gradient that is not finite ({})",
             item.key(), trial.name);
      learns = learns || gradient.abs().max().item<double>() > 0;
    }
    expect(subject, learns, "all gradients are zero ({})", trial.name);
  }
  if (!is_seen) throw Skipped("has no parameters that it trains");
}

void is_all_in_its_weights(const Subject& subject) {
  for (const ModelTrial& trial : model_trials(subject, 2)) {
    TensorDict tensors;
    for (const auto& item : trial.model->named_parameters()) tensors[item.key()] = item.value().detach();
    for (const auto& item : trial.model->named_buffers()) tensors[item.key()] = item.value().detach();
    const TemporaryFolder folder;
    write_safetensors(folder.path() / "model.safetensors", tensors);
    const TensorDict stored = read_safetensors(folder.path() / "model.safetensors");
    Subject other = subject;
    other.seed = subject.seed + 1;
    const auto loaded = make_model(other, trial.options, trial.input);
    {
      const at::NoGradGuard no_grad;
      for (const auto& list : {loaded->named_parameters(), loaded->named_buffers()}) {
        for (const auto& item : list) {
          const auto found = stored.find(item.key());
          expect(subject, found != stored.end() && found->second.sizes() == item.value().sizes(),
                 "has {} of another shape, or not at all, when made again", item.key());
          item.value().copy_(found->second);
        }
      }
    }
    const at::Tensor x = noise_batch(trial.input, 3, subject.seed).x;
    const at::Tensor before = features(subject, *trial.model, x), after = features(subject, *loaded, x);
    expect(subject, at::equal(before, after),
           "gives other features after its parameters and buffers were saved and loaded: {} of the largest; "
           "register what it keeps",
           difference(before, after));
  }
}

void starts_from_its_seed(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  if (trial.model->parameters().empty()) throw Skipped("has no parameters");
  const auto same_as_trial = [&](const Encoder& model) {
    const auto a = trial.model->parameters(), b = model.parameters();
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const at::Tensor& x, const at::Tensor& y) { return at::equal(x, y); });
  };
  expect(subject, same_as_trial(*make_model(subject, trial.options, trial.input)),
         "starts with other weights from the same seed");
  Subject other = subject;
  other.seed = subject.seed + 1;
  expect(subject, !same_as_trial(*make_model(other, trial.options, trial.input)),
         "starts with the same weights from another seed");
}

void works_on_the_device(const Subject& subject) {
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  if (subject.device.is_cpu()) throw Skipped("the device in use is the CPU, on which all checks are made");
  const at::Tensor x = noise_batch(trial.input, 3, subject.seed).x;
  const at::Tensor on_cpu = features(subject, *trial.model, x);
  trial.model->to(subject.device);
  const at::Tensor there = features(subject, *trial.model, x.to(subject.device));
  expect(subject, there.device().type() == subject.device.type(), "gives features on {} for an input on {}",
         there.device().str(), subject.device.str());
  // A GPU rounds otherwise, and so does each of its libraries.
  expect(subject, difference(on_cpu, there.cpu()) < 1e-3, "gives other features on {}: {} of the largest",
         subject.device.str(), difference(on_cpu, there.cpu()));
}

}  // namespace of_models

const std::vector<NamedCheck>& model_checks() {
  using namespace of_models;
  static const std::vector<NamedCheck> checks = {
      {{"input_refused_by_name", "an input that it cannot take is refused by name", 4}, refuses_what_it_cannot_take},
      {{"shape", "features are [B, D] for every batch size and input that it takes", 5}, gives_features},
      {{"finite", "silence, an impulse, full scale, a constant and noise give finite features", 5},
       gives_finite_features},
      {{"layers", "width and depth are positive, and each parameter is in a layer group", 5}, names_its_layers},
      {{"feature_maps", "feature maps have names, shapes and finite values", 5}, shows_sound_feature_maps},
      {{"deterministic", "in eval mode the same input gives the same features", 6}, is_deterministic},
      {{"eval_keeps_state", "in eval mode no parameter or buffer changes", 6}, keeps_its_state_in_eval},
      {{"batch_independent", "in eval mode an item's features do not depend on its batch", 7},
       does_not_look_at_the_batch},
      {{"input_unchanged", "its input is not written to", 7}, leaves_its_input_alone},
      {{"gradients", "each parameter that is not frozen gets a finite gradient", 8}, learns_everywhere},
      {{"save_load", "its parameters and buffers, saved and loaded, give the same features", 8}, is_all_in_its_weights},
      {{"seed", "the seed decides the weights that it starts with", 8}, starts_from_its_seed},
      {{"device", "it gives the same features on the device in use", 8}, works_on_the_device},
  };
  return checks;
}

}  // namespace amae::compliance
