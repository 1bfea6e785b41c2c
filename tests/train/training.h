// A training run that takes milliseconds: points around class centres, a network of a few weights.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "config/read.h"
#include "plugin/loader.h"
#include "tests/problems.h"
#include "train/bundle.h"
#include "train/classification.h"
#include "train/trainer.h"

namespace amae {

/// The plugins of this build.
inline const Registry& built_plugins() {
  static const Registry registry = load_plugins({AMAE_BUILD_DIR "/plugins"});
  return registry;
}

/// A component as a config would have it: "{name: gain, max_db: 3}".
inline Component component(const std::string& kind, const std::string& yaml) {
  Component result;
  result.node = config::parse_value(yaml, "test");
  result.name = result.node->find("name")->value->scalar;
  std::vector<Problem> problems;
  built_plugins().resolve(result, kind, kind, problems);
  if (!problems.empty()) throw InputError(problems);
  return result;
}

/// Short signals [1, 16] around the centre of their class; row r has class r % 3.
class Points : public Dataset {
 public:
  explicit Points(int64_t count) {
    torch::manual_seed(11);
    const torch::Tensor centres = torch::randn({3, 16});
    labels_ = torch::arange(count, torch::kInt64).remainder(3);
    samples = centres.index_select(0, labels_) + 0.8 * torch::randn({count, 16});
  }
  [[nodiscard]] int64_t size() const override { return samples.size(0); }
  [[nodiscard]] std::string id(int64_t row) const override { return "point-" + std::to_string(row); }
  [[nodiscard]] Signal load(int64_t row) const override { return {samples[row].unsqueeze(0).clone(), 8000.0}; }
  [[nodiscard]] Spec spec() const override { return {Domain::audio, {1, 16}, 8000.0}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return labels_; }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return std::to_string(row); }

  torch::Tensor samples;  ///< [rows, 16], for tests that plant something

 private:
  torch::Tensor labels_;
  std::vector<std::string> classes_ = {"a", "b", "c"};
};

/// One hidden layer of eight. With batch norm it has buffers; without, gradients of batches add up exactly. The norm is
/// a layer group of its own.
class Net : public Encoder {
 public:
  explicit Net(bool norm) : layer_(register_module("layer", torch::nn::Linear(16, 8))) {
    if (norm) norm_ = register_module("norm", torch::nn::BatchNorm1d(8));
  }
  torch::Tensor forward(const torch::Tensor& x) override {
    const auto& hook = is_training() ? on_training_forward : on_eval_forward;
    if (hook) hook();
    const torch::Tensor h = layer_(x.flatten(1));
    return torch::relu(norm_.is_empty() ? h : norm_(h));
  }
  [[nodiscard]] int64_t width() const override { return 8; }
  [[nodiscard]] int64_t depth() const override { return 2; }
  [[nodiscard]] int64_t layer_of(const std::string& parameter) const override {
    return parameter.starts_with("layer.") ? 0 : parameter.starts_with("norm.") ? 1 : throw parameter;
  }

  std::function<void()> on_training_forward, on_eval_forward;

 private:
  torch::nn::Linear layer_;
  torch::nn::BatchNorm1d norm_{nullptr};
};

/// Classification with a hook on what is looked at after an epoch.
class Watched : public ClassificationObjective {
 public:
  using Look = std::function<Figures(int64_t epoch, int64_t step, bool last)>;
  Watched(ClassificationSetup setup, Look look) : ClassificationObjective(std::move(setup)), look_(std::move(look)) {}
  Figures look(int64_t epoch, int64_t step, bool last, RunLog& /*log*/) override {
    return look_ ? look_(epoch, step, last) : Figures();
  }

 private:
  Look look_;
};

/// Everything a Trainer needs, in a folder of its own, as a task would set it up. 43 points train, 12 validate: with
/// the batches of 8 that is six steps an epoch, the last on three points.
class Training {
 public:
  static constexpr int64_t kSteps = 6;

  /// `transforms` as a config would list them.
  explicit Training(const std::vector<std::string>& transforms = {}, bool norm = true) : points(new Points(55)) {
    std::vector<Component> list;
    for (const std::string& yaml : transforms) list.push_back(component("transform", yaml));
    setup.pipeline = std::make_shared<Pipeline>(built_plugins(), list, points->spec());
    setup.optim = {.name = "sgd", .lr = 0.05, .weight_decay = 1e-3};
    setup.schedule = {.name = "constant", .warmup = 0};
    setup.options.epochs = 3;
    setup.options.batch_size = 8;
    setup.options.save_interval = 1e9;  // no checkpoint by the clock: tests must not depend on it
    setup.seed = 5;
    setup.tensorboard = false;
    setup.run = folder_.path();
    setup.write_bundle = [](const std::filesystem::path& /*folder*/, const std::string& /*weights*/) {};
    for (int64_t row = 0; row < 55; ++row) (row < 43 ? setup.train_rows : val_rows).push_back(row);
    renew(norm);
  }

  /// A fresh network from the seed: what a new process would start with.
  void renew(bool norm = true, double dropout = 0.2) {
    torch::manual_seed(setup.seed);
    net = std::make_shared<Net>(norm);
    model = std::make_shared<Classifier>(net, 3, HeadOptions{norm ? dropout : 0.0});
  }

  /// A trainer of the setup as it is now. The points are read here.
  Trainer trainer() {
    CacheOptions cache;
    cache.mode = "ram";
    setup.cache = std::make_shared<FeatureCache>(points, setup.pipeline, cache, 1, FeatureCache::Progress());
    setup.validates = !val_rows.empty();
    setup.objective = std::make_shared<Watched>(
        ClassificationSetup{loss, model, setup.cache, setup.pipeline, val_rows, setup.options.eval_batch_size,
                            static_cast<int>(setup.options.workers), setup.device},
        on_look);
    return Trainer(setup);
  }

  [[nodiscard]] std::filesystem::path last() const { return folder_.path() / "checkpoints/last"; }
  [[nodiscard]] std::filesystem::path best() const { return folder_.path() / "checkpoints/best"; }
  [[nodiscard]] std::string bytes(const std::string& file) const { return read_file(last() / file); }

  /// metrics.jsonl without what the clock decides, as "step epoch split/name value" with every bit of the value.
  [[nodiscard]] std::vector<std::string> figures() const;

  std::shared_ptr<Points> points;
  std::shared_ptr<Net> net;
  std::shared_ptr<Classifier> model;
  std::vector<int64_t> val_rows;
  LossOptions loss;
  Watched::Look on_look;
  TrainSetup setup;

 private:
  TemporaryFolder folder_;
};

inline std::vector<std::string> Training::figures() const {
  std::vector<std::string> lines;
  for (const Metric& m : read_metrics(folder_.path() / "metrics.jsonl")) {
    char value[64];
    std::snprintf(value, sizeof value, "%a", m.value);
    if (m.split == "system") continue;
    lines.push_back(std::to_string(m.step) + " " + std::to_string(m.epoch) + " " + m.split + "/" + m.name + " " +
                    value);
  }
  return lines;
}

/// What `action` throws as InputError, as text; empty when it does not.
template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace amae
