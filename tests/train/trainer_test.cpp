#include "train/trainer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <csignal>
#include <limits>

#include "io/safetensors.h"
#include "training.h"

using namespace amae;

namespace {

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
  const TensorDict before = copy_of(*small.setup.model);
  small.trainer().run();
  big.trainer().run();
  CHECK(largest_difference(tensors_of(*small.setup.model), tensors_of(*big.setup.model)) < 1e-6);
  CHECK(largest_difference(tensors_of(*small.setup.model), before) > 1e-2);
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

TEST_CASE("a sample with an infinite value ends training with its step and rows, and the checkpoint before it loads") {
  Training training;
  const auto order = epoch_order(training.setup.train_rows, training.setup.seed, 0);
  const int64_t bad = order[8 * 3 + 2];  // in the fourth batch
  training.points->samples[bad][7] = std::numeric_limits<float>::infinity();
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

  training.renew();
  Trainer again = training.trainer();
  REQUIRE(again.restore());
  CHECK(again.state().step == 3);
  for (const auto& [name, tensor] : tensors_of(*training.setup.model)) {
    INFO(name);
    CHECK(torch::isfinite(tensor).all().item<bool>());
  }
}

TEST_CASE("with a moving average the bundle and the final weights are the averages") {
  Training training;
  training.setup.options.ema_decay = 0.9;
  TensorDict bundled;
  std::string file;
  training.setup.write_bundle = [&](const std::filesystem::path& folder, const std::string& weights) {
    if (!contains(folder.string(), "last")) return;
    bundled = copy_of(*training.setup.model);
    file = weights;
  };
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  const TensorDict averages = read_safetensors(training.last() / "ema.safetensors");
  CHECK(file == "ema.safetensors");
  CHECK(equal(bundled, averages));
  CHECK(equal(tensors_of(*training.setup.model), read_safetensors(training.last() / "model.safetensors")));
  CHECK_FALSE(equal(tensors_of(*training.setup.model), averages));
  trainer.use_final_weights();
  CHECK(equal(tensors_of(*training.setup.model), averages));
}

TEST_CASE("validation figures are of the averages, those of the raw weights have their own name") {
  Training training;
  training.setup.options.ema_decay = 0.99;
  training.setup.options.epochs = 1;
  Trainer trainer = training.trainer();
  REQUIRE(trainer.run());
  trainer.use_final_weights();
  const Scores scores = evaluate(*training.setup.model, *training.setup.cache, *training.setup.pipeline,
                                 training.setup.val_rows, 64, 1, 1, false, torch::kCPU);
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
  training.setup.loss.name = "binary";
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
  CHECK(refused(training, {.metric = "train/loss", .mode = "min", .patience = 1}).empty());
  training.setup.val_rows.clear();
  CHECK(contains(refused(training, {.patience = 1}), "no validation split"));
  CHECK(refused(training, {}).empty());  // nothing is asked of the default
}
