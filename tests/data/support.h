// A data set and transforms so small that every number can be worked out by hand.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/read.h"
#include "data/pipeline.h"
#include "tests/base/support.h"

namespace amae {

/// Row r is the waveform [10 r, 10 r + 1, 10 r + 2, 10 r + 3] at 8 kHz; counts how often rows are loaded.
class Ramps final : public Dataset {
 public:
  explicit Ramps(int64_t rows) : hashes(static_cast<size_t>(rows), "0") {}
  std::vector<std::string> hashes;
  std::function<void(int64_t)> on_load = [](int64_t) {};
  bool skips = false;
  mutable std::atomic<int> loads{0};

  [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(hashes.size()); }
  [[nodiscard]] std::string id(int64_t row) const override { return "row" + std::to_string(row); }
  [[nodiscard]] Signal load(int64_t row) const override {
    ++loads;
    on_load(row);
    return {at::arange(4, at::kFloat).add(static_cast<double>(10 * row)).unsqueeze(0), 8000, Domain::audio};
  }
  [[nodiscard]] Spec spec() const override { return {Domain::audio, {1, 4}, 8000}; }
  [[nodiscard]] bool skips_bad_rows() const override { return skips; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return names_; }
  [[nodiscard]] at::Tensor labels() const override { return at::arange(size()).remainder(3); }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return hashes[static_cast<size_t>(row)]; }

 private:
  std::vector<std::string> names_ = {"a", "b", "c"};
};

struct AddOptions {
  double value = 1;
  void describe(Fields& f) { f.add("value", value, "is added"); }
};

/// Deterministic: x + value.
class Add final : public Transform {
 public:
  explicit Add(const AddOptions& options) : value_(options.value) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  void apply(Batch& batch, const Stage& /*stage*/) const override { batch.x = batch.x + value_; }

 private:
  double value_;
};

/// Random: x + a number of [0, 1) in training, x + 1000 view in evaluation.
class Jitter final : public Transform {
 public:
  explicit Jitter(const NoOptions& /*options*/) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& stage) const override {
    std::vector<float> numbers;
    for (const int64_t id : batch.ids) numbers.push_back(static_cast<float>(stage.draw(id).uniform()));
    batch.x = batch.x + at::tensor(numbers).view({-1, 1, 1});
  }
  void apply_eval(Batch& batch, int64_t view, int64_t /*views*/) const override {
    batch.x = batch.x + static_cast<double>(1000 * view);
  }
};

/// Fitted: x minus the mean of the training split.
class Center final : public Transform {
 public:
  explicit Center(const NoOptions& /*options*/) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  [[nodiscard]] bool needs_fit() const override { return true; }
  void fit(const std::function<bool(Batch&)>& next) override {
    std::vector<at::Tensor> all;
    for (Batch batch; next(batch);) all.push_back(batch.x);
    mean_ = at::cat(all).mean();
  }
  void apply(Batch& batch, const Stage& /*stage*/) const override { batch.x = batch.x - mean_; }
  [[nodiscard]] TensorDict state() const override { return {{"mean", mean_}}; }
  void load_state(const TensorDict& state) override {
    if (state.count("mean") == 0) throw InputError("CKPT", "", "mean", "is missing");
    mean_ = state.at("mean");
  }

 private:
  at::Tensor mean_ = at::zeros({});
};

struct CropOptions {
  int64_t length = 2;
  void describe(Fields& f) { f.add("length", length, "samples kept").range(1, 100); }
};

/// Random: the first `length` samples, in training only; refuses what is shorter.
class Crop final : public Transform {
 public:
  explicit Crop(const CropOptions& options) : length_(options.length) {}
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override {
    if (input.shape[1] < length_) {
      throw InputError("CFG-SPEC", "", "length", "got " + input.text() + ", expected at least the length");
    }
    return mode == Mode::train ? Spec{input.domain, {input.shape[0], length_}, input.rate_hz} : input;
  }
  [[nodiscard]] bool random() const override { return true; }
  void apply(Batch& batch, const Stage& /*stage*/) const override { batch.x = batch.x.narrow(2, 0, length_); }

 private:
  int64_t length_;
};

/// Deterministic: fails on the waveform of row 13 as LibTorch would.
class Unlucky final : public Transform {
 public:
  explicit Unlucky(const NoOptions& /*options*/) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  void apply(Batch& batch, const Stage& /*stage*/) const override {
    if (batch.x.view({-1})[0].item<float>() == 130) throw std::runtime_error("thirteen\nwith a long story");
  }
};

struct LiarOptions {
  std::string fault = "none";
  void describe(Fields& f) { f.add("fault", fault, "where it is at fault"); }
};

/// Fitted: gives something else than it announces, or throws what is none of our errors, where it is told to.
class Liar final : public Transform {
 public:
  explicit Liar(const LiarOptions& options) : fault_(options.fault) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override {
    if (fault_ == "output") throw std::runtime_error("out of luck");
    return input;
  }
  [[nodiscard]] bool needs_fit() const override { return fault_ == "fit"; }
  void fit(const std::function<bool(Batch&)>& /*next*/) override { throw std::runtime_error("out of luck"); }
  void apply(Batch& batch, const Stage& /*stage*/) const override {
    if (fault_ == "size") batch.x = at::cat({batch.x, batch.x}, 2);
    if (fault_ == "items") batch.x = at::cat({batch.x, batch.x}, 0);
    if (fault_ == "type") batch.x = batch.x.to(at::kDouble);
    if (fault_ == "nothing") batch.x = at::Tensor();
    if (fault_ == "number") throw 7;
    if (fault_ == "memory") throw std::bad_alloc();
  }

 private:
  std::string fault_;
};

template <class T, class Options>
void offer(Registry& registry, const std::string& key) {
  ComponentInfo info;
  info.kind = "transform";
  info.key = key;
  info.plugin = std::make_shared<PluginFile>(PluginFile{"in_test.so", "in_test", "1", "", ""});
  info.make_options = [] { return std::make_unique<OptionsHolder<Options>>(); };
  info.make_transform = [](const OptionsBase& o) {
    return std::make_unique<T>(static_cast<const OptionsHolder<Options>&>(o).value);
  };
  registry.add(std::move(info));
}

inline Registry small_registry() {
  Registry registry;
  offer<Add, AddOptions>(registry, "add");
  offer<Jitter, NoOptions>(registry, "jitter");
  offer<Center, NoOptions>(registry, "center");
  offer<Crop, CropOptions>(registry, "crop");
  offer<Unlucky, NoOptions>(registry, "unlucky");
  offer<Liar, LiarOptions>(registry, "liar");
  registry.sort();
  return registry;
}

/// A pipeline for Ramps out of a YAML list, e.g. "[{name: add, value: 2}, jitter]".
inline Pipeline pipeline_of(const std::string& yaml) {
  const Registry registry = small_registry();
  const auto root = config::parse_yaml("transforms: " + yaml, "run.yaml");
  std::vector<Component> components;
  Fields fields;
  fields.add("transforms", components, "").kind("transform");
  std::vector<Problem> problems;
  config::read_fields(root.get(), fields, "", root->mark, {}, problems);
  for (Component& component : components)
    registry.resolve(component, "transform", "transforms." + component.name, problems);
  if (!problems.empty()) throw InputError(problems);
  return {registry, components, {Domain::audio, {1, 4}, 8000}};
}

inline std::vector<float> numbers(const at::Tensor& x) {
  const at::Tensor flat = x.contiguous().view({-1});
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

/// Front outputs of some rows of Ramps.
inline Batch front_batch(const Pipeline& pipeline, const std::vector<int64_t>& rows) {
  const Ramps data(100);
  Batch result;
  std::vector<at::Tensor> items;
  for (const int64_t row : rows) {
    Batch item = pipeline.run_front(data.load(row), row);
    items.push_back(item.x);
    result.rate_hz = item.rate_hz;
  }
  result.x = at::cat(items);
  result.ids = rows;
  return result;
}

}  // namespace amae
