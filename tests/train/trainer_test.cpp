#include "train/trainer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <csignal>
#include <limits>
#include <sstream>

#include "base/log.h"
#include "io/safetensors.h"
#include "train/evaluate.h"
#include "training.h"

using namespace amae;

namespace {

const Origin kOrigin{"model", "net", "/plugins/net.so", "model"};

/// Divides by zero.
class Sick : public Net {
 public:
  Sick() : Net(false) {}
  torch::Tensor forward(const torch::Tensor& x) override { return Net::forward(x) * 0 / 0; }
};

/// Has a parameter without any use.
class Idle : public Net {
 public:
  Idle() : Net(false) { register_parameter("idle", torch::zeros({3})); }
  [[nodiscard]] int64_t layer_of(const std::string& parameter) const override {
    return parameter == "idle" ? 1 : Net::layer_of(parameter);
  }
};

/// Points whose validation rows carry the wrong label: the better the fit, the worse they score.
class Contrary : public Points {
 public:
  using Points::Points;
  [[nodiscard]] at::Tensor labels() const override {
    at::Tensor labels = Points::labels().clone();
    labels.slice(0, 43).add_(1).remainder_(3);
    return labels;
  }
};

double largest_difference(const TensorDict& a, const TensorDict& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a) {
    largest = std::max(largest, (tensor - b.at(name)).abs().max().item<double>());
  }
  return largest;
}

bool equal(const TensorDict& a, const TensorDict& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& item) {
           return b.count(item.first) > 0 && torch::equal(item.second, b.at(item.first));
         });
}

TensorDict copy_of(const torch::nn::Module& module) {
  TensorDict copy = tensors_of(module);
  for (auto& [name, tensor] : copy) tensor = tensor.clone();
  return copy;
}

}  // namespace

// 1e-6: weights are below 1, and the same 24 gradients are summed in another order.
TEST_CASE("accumulating three batches is training with batches of three times the size") {
  Training small({}, false), big({}, false);
  small.setup.options.accumulate = 3;  // windows of 8+8+8 and 8+8+3 points
  big.setup.options.batch_size = 24;   // batches of 24 and 19
  const TensorDict before = copy_of(*small.model);
  small.trainer().run();
  big.trainer().run();
  CHECK(largest_difference(tensors_of(*small.model), tensors_of(*big.model)) < 1e-6);
  CHECK(largest_difference(tensors_of(*small.model), before) > 1e-2);
}

TEST_CASE("training lowers the loss and learns to tell the points apart") {
  Training training;
  training.setup.options.epochs = 20;
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  double last_accuracy = 0;
  for (const Metric& m : trainer.log().all()) {
    if (m.split == "val" && m.name == "accuracy") last_accuracy = m.value;
  }
  CHECK(last_accuracy > 0.9);  // 1/3 by chance; the centres are several deviations apart
}

TEST_CASE("the metric that early stopping names decides when training ends and what is best") {
  Training training;
  training.points = std::make_shared<Contrary>(55);
  training.renew(true, 0.0);  // without dropout the training loss falls steadily
  training.setup.options.epochs = 5;
  training.setup.options.early_stopping = {.metric = "val/loss", .mode = "min", .patience = 2};
  Trainer rising = training.trainer();
  REQUIRE(rising.run());
  CHECK(rising.state().best_epoch == 0);
  CHECK(rising.state().epoch == 3);  // epoch 0 is best, 1 and 2 are not better
  CHECK(rising.state().stopped_early);

  training.renew(true, 0.0);
  training.setup.options.early_stopping.metric = "train/loss";
  Trainer falling = training.trainer();
  REQUIRE(falling.run());
  CHECK(falling.state().epoch == 5);
  CHECK_FALSE(falling.state().stopped_early);
}

TEST_CASE("a tie keeps the older best") {
  Training training;
  training.setup.options.epochs = 4;
  training.setup.optim.lr = 0;
  training.renew(false);  // without batch norm nothing moves: every epoch scores the same
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  CHECK(trainer.state().best_epoch == 0);
  CHECK(trainer.state().epoch == 4);  // patience 0 never stops
}

TEST_CASE("a sample too large to compute with ends training with its step and rows, the checkpoint before it loads") {
  Training training({}, false);  // a batch norm would swallow it
  const auto order = epoch_order(training.setup.train_rows, training.setup.seed, 0);
  const int64_t bad = order[8 * 3 + 2];  // in the fourth batch
  training.points->samples[bad][7] = std::numeric_limits<float>::max();
  training.setup.options.save_every_steps = 1;
  std::string message;
  try {
    training.trainer().run();
  } catch (const DivergenceError& error) {
    message = error.what();
    CHECK(error.exit_code() == ExitCode::divergence);
  }
  CHECK(contains(message, "step 3"));
  CHECK(contains(message, "rows " + std::to_string(order[24])));
  CHECK(contains(message, " " + std::to_string(bad)));

  training.renew(false);
  Trainer again = training.trainer();
  REQUIRE(again.restore());
  CHECK(again.state().step == 3);
  for (const auto& [name, tensor] : tensors_of(*training.model)) {
    INFO(name);
    CHECK(torch::isfinite(tensor).all().item<bool>());
  }
}

TEST_CASE("a model that makes what is not finite of finite numbers is named with its library") {
  Training training;
  training.model = std::make_shared<Classifier>(std::make_shared<Sick>(), 3, HeadOptions(), kOrigin);
  std::string message;
  try {
    training.trainer().run();
  } catch (const DivergenceError& error) {
    message = error.what();
  }
  CHECK(contains(message, "got loss nan"));
  CHECK(contains(message, "model 'net' of /plugins/net.so makes them of finite input and weights"));
}

TEST_CASE("parameters that get no gradient from the first batch are told once, those that are frozen are not") {
  const auto warnings = [](Training& training) {
    training.setup.options.epochs = 2;
    const auto file = training.setup.run / "log";
    std::filesystem::remove(file);
    {
      const log::File log(file);
      log::set_level(log::Level::error);
      REQUIRE(training.trainer().run());
      log::set_level(log::Level::info);
    }
    std::string found;
    std::istringstream text(read_file(file));
    for (std::string line; std::getline(text, line);) {
      if (contains(line, "warning: ")) found += line.substr(line.find("warning: ")) + "\n";
    }
    return found;
  };
  Training training;
  CHECK(warnings(training).empty());
  training.model = std::make_shared<Classifier>(std::make_shared<Idle>(), 3, HeadOptions(), kOrigin);
  CHECK(warnings(training) ==
        "warning: /plugins/net.so: model 'net' got no gradient from the first batch for 1 of its parameters: "
        "encoder.idle\n");
  Training frozen;
  frozen.model = std::make_shared<Classifier>(std::make_shared<Idle>(), 3, HeadOptions(), kOrigin);
  frozen.setup.options.freeze = 1;  // its layer of weights; the idle one is in the second
  CHECK(contains(warnings(frozen), "for 1 of its parameters: encoder.idle"));
  frozen.model->named_parameters()["encoder.idle"].set_requires_grad(false);
  CHECK(warnings(frozen).empty());
}

TEST_CASE("with a moving average the bundle and the final weights are the averages") {
  Training training;
  training.setup.options.ema_decay = 0.9;
  TensorDict bundled;
  std::string file;
  training.setup.write_bundle = [&](const std::filesystem::path& folder, const std::string& weights) {
    if (!contains(folder.string(), "last")) return;
    bundled = copy_of(*training.model);
    file = weights;
  };
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  const TensorDict averages = read_safetensors(training.last() / "ema.safetensors");
  CHECK(file == "ema.safetensors");
  CHECK(equal(bundled, averages));
  CHECK(equal(tensors_of(*training.model), read_safetensors(training.last() / "model.safetensors")));
  CHECK_FALSE(equal(tensors_of(*training.model), averages));
  trainer.use_final_weights();
  CHECK(equal(tensors_of(*training.model), averages));
}

TEST_CASE("validation figures are of the averages, those of the raw weights have their own name") {
  Training training;
  training.setup.options.ema_decay = 0.99;
  training.setup.options.epochs = 1;
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  trainer.use_final_weights();
  const Scores scores = evaluate(*training.model, *training.setup.cache, *training.setup.pipeline, training.val_rows,
                                 64, 1, 1, false, torch::kCPU);
  std::map<std::string, double> val;
  for (const Metric& m : trainer.log().all()) {
    if (m.split == "val") val[m.name] = m.value;
  }
  REQUIRE(val.count("loss") == 1);
  CHECK(val["loss"] == mean_log_loss(scores, false));
  CHECK(val["loss_raw"] != val["loss"]);
}

TEST_CASE("a run evaluates every so many epochs and after the last") {
  Training training;
  training.setup.options.epochs = 5;
  training.setup.options.eval_every = 2;
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  std::vector<int64_t> epochs;
  for (const Metric& m : trainer.log().all()) {
    if (m.split == "val" && m.name == "loss") epochs.push_back(m.epoch);
  }
  CHECK(epochs == std::vector<int64_t>{1, 3, 4});
}

TEST_CASE("the learning rate logged is the one of the epoch's last step") {
  Training training;
  training.setup.schedule = {.name = "cosine", .warmup = 0};
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  std::vector<double> rates;
  for (const Metric& m : trainer.log().all()) {
    if (m.name == "lr") rates.push_back(m.value);
  }
  REQUIRE(rates.size() == 3);
  CHECK(rates[0] == learning_rate(training.setup.schedule, 0.05, Training::kSteps - 1, 3 * Training::kSteps));
}

TEST_CASE("labels of several classes train with the binary loss") {
  class Several : public Points {
   public:
    using Points::Points;
    [[nodiscard]] at::Tensor labels() const override {
      const at::Tensor first = torch::one_hot(Points::labels(), 3);
      return (first + first.roll(1, 1)).to(torch::kFloat);
    }
  };
  Training training;
  training.points = std::make_shared<Several>(55);
  training.loss.name = "binary";
  training.setup.options.epochs = 30;
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  std::map<std::string, double> val;
  for (const Metric& m : trainer.log().all()) {
    if (m.split == "val") val[m.name] = m.value;
  }
  CHECK(val["accuracy"] > 0.8);
}

TEST_CASE("early stopping on a figure that this run never writes is refused") {
  const auto refused = [](Training& training, const EarlyStoppingOptions& stopping) {
    training.setup.options.early_stopping = stopping;
    return refusal([&] { training.trainer(); });
  };
  Training training;
  CHECK(contains(refused(training, {.metric = "val/acuracy"}), "val/accuracy"));
  CHECK(contains(refused(training, {.metric = "val/loss_raw"}), "got val/loss_raw"));  // there is no moving average
  CHECK(contains(refused(training, {.metric = "train/lr"}), "train/loss, train/accuracy, val/loss"));
  CHECK(refused(training, {.metric = "train/loss", .mode = "min", .patience = 1}).empty());
  training.val_rows.clear();
  CHECK(contains(refused(training, {.metric = "", .patience = 1}), "no validation split"));
  CHECK(refused(training, {}).empty());  // nothing is asked of the default
}

TEST_CASE("what is looked at after an epoch sees the averages, is logged, and knows the last epoch") {
  for (const bool stops_early : {false, true}) {
    Training training;
    training.setup.options.ema_decay = 0.9;
    training.setup.options.epochs = 4;
    if (stops_early) {
      training.setup.optim.lr = 0;  // nothing gets better; every epoch is like the first, up to the batch norm's memory
      training.setup.options.early_stopping = {.metric = "train/accuracy", .mode = "max", .patience = 1};
      training.renew(false);
    }
    std::vector<int64_t> epochs, lasts;
    TensorDict seen;
    training.on_look = [&](int64_t epoch, int64_t step, bool last) {
      CHECK(step == (epoch + 1) * Training::kSteps);
      epochs.push_back(epoch);
      if (last) lasts.push_back(epoch);
      seen = copy_of(*training.model);
      return Figures{{"val/neighbours", 0.5}};
    };
    Trainer trainer = training.trainer();
    REQUIRE(trainer.run());
    CHECK(lasts == std::vector<int64_t>{epochs.back()});
    CHECK(epochs.back() == (stops_early ? 1 : 3));
    CHECK(equal(seen, read_safetensors(training.last() / "ema.safetensors")));
    int64_t logged = 0;
    for (const Metric& m : trainer.log().all()) logged += m.split == "val" && m.name == "neighbours" ? 1 : 0;
    CHECK(logged == static_cast<int64_t>(epochs.size()));
  }
}

TEST_CASE("without a metric, the best epoch is the one of the highest accuracy, or else of the lowest loss") {
  /// Judges by the loss alone, and that gets worse.
  class Loss : public ClassificationObjective {
   public:
    using ClassificationObjective::ClassificationObjective;
    [[nodiscard]] std::vector<std::string> validation_figures() const override { return {"loss"}; }
    Figures validate() override { return {{"loss", ++calls_}}; }

   private:
    double calls_ = 0;
  };
  Training training;
  training.trainer();
  ClassificationSetup setup;  // named: GCC 12 takes the parts of a nameless one for uninitialised
  setup.model = training.model;
  setup.cache = training.setup.cache;
  setup.pipeline = training.setup.pipeline;
  setup.val_rows = training.val_rows;
  training.setup.objective = std::make_shared<Loss>(setup);
  Trainer trainer(training.setup);
  REQUIRE(trainer.run());
  CHECK(trainer.state().best_epoch == 0);
  CHECK(trainer.state().best == 1);

  training.renew();
  Trainer other = training.trainer();
  REQUIRE(other.run());
  double highest = 0;
  for (const Metric& m : other.log().all()) {
    if (m.split == "val" && m.name == "accuracy") highest = std::max(highest, m.value);
  }
  CHECK(other.state().best == highest);
}

TEST_CASE("frozen layer groups do not move and have no optimizer state, the others train") {
  Training training;
  training.setup.options.freeze = 1;  // the layer, not the norm behind it
  training.setup.optim = {.name = "adamw", .lr = 0.01};
  const TensorDict before = copy_of(*training.model);
  REQUIRE(training.trainer().run());
  const TensorDict after = tensors_of(*training.model);
  for (const char* name : {"encoder.layer.weight", "encoder.layer.bias"}) {
    INFO(name);
    CHECK(torch::equal(after.at(name), before.at(name)));
  }
  for (const char* name : {"encoder.norm.weight", "encoder.norm.running_mean", "head.weight"}) {
    INFO(name);
    CHECK_FALSE(torch::equal(after.at(name), before.at(name)));
  }
  const TensorDict optim = read_safetensors(training.last() / "optim.safetensors");
  CHECK(optim.count("encoder.layer.weight.exp_avg") == 0);
  CHECK(optim.count("encoder.norm.weight.exp_avg") == 1);
}

TEST_CASE("a frozen encoder stays in evaluation mode, through validations and checkpoints, and only the head moves") {
  for (const int64_t freeze : {-1, 2}) {
    Training training;
    training.setup.options.freeze = freeze;
    training.setup.options.save_every_steps = 2;
    training.setup.write_bundle = [&](const std::filesystem::path& /*folder*/, const std::string& /*weights*/) {
      training.model->eval();  // as for the golden output
      training.model->train(true);
    };
    int training_passes = 0;
    training.net->on_training_forward = [&] { ++training_passes; };
    const TensorDict before = copy_of(*training.model);
    REQUIRE(training.trainer().run());
    CHECK(training_passes == 0);
    for (const auto& [name, tensor] : tensors_of(*training.model)) {
      INFO(name);
      CHECK(torch::equal(tensor, before.at(name)) == name.starts_with("encoder."));
    }
  }
}

TEST_CASE("freezing more than there is, or all there is, is refused") {
  Training training;
  training.setup.options.freeze = 3;
  CHECK(contains(refusal([&] { training.trainer(); }),
                 "train.freeze: got 3 layer groups, expected at most the model's 2"));
  Classifier headless(std::make_shared<Net>(true), 0, {});
  CHECK(contains(refusal([&] { freeze_layers(headless, headless.encoder(), -1); }), "nothing to train"));
}

// One step of plain SGD moves a weight by the rate times its gradient, and the gradients of the first step are equal.
// 1e-3: differences of float32 weights near 1 that moved by some 1e-3.
TEST_CASE("layer-wise decay slows each layer group by its distance from the head") {
  const auto moved = [](double layer_decay) {
    Training training;
    training.setup.options.epochs = 1;
    training.setup.options.batch_size = 43;
    training.setup.optim = {.name = "sgd", .lr = 0.1, .weight_decay = 0, .momentum = 0, .layer_decay = layer_decay};
    TensorDict change = copy_of(*training.model);
    REQUIRE(training.trainer().run());
    for (const auto& [name, tensor] : tensors_of(*training.model)) change[name] = tensor - change[name];
    return change;
  };
  const TensorDict whole = moved(1), slowed = moved(0.5);
  const std::map<std::string, double> factors = {
      {"encoder.layer.weight", 0.25}, {"encoder.norm.weight", 0.5}, {"head.weight", 1.0}};
  for (const auto& [name, factor] : factors) {
    INFO(name);
    CHECK(std::abs((slowed.at(name).norm() / whole.at(name).norm()).item<double>() - factor) < 1e-3);
  }
}
