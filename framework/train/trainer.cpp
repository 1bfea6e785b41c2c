#include "train/trainer.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"

namespace amae {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<NamedParameter> rules_for(const TrainSetup& setup) {
  std::vector<std::pair<std::string, torch::Tensor>> parameters;
  for (const auto& item : setup.model->named_parameters()) parameters.emplace_back(item.key(), item.value());
  const Encoder& encoder = setup.model->encoder();
  return parameter_rules(parameters, setup.optim.layer_decay, encoder.depth(), [&](const std::string& name) {
    return encoder.layer_of(name.substr(std::string("encoder.").size()));
  });
}

int64_t examples(const std::vector<std::vector<int64_t>>& batches, size_t begin, size_t end) {
  int64_t count = 0;
  for (size_t i = begin; i < std::min(end, batches.size()); ++i) count += static_cast<int64_t>(batches[i].size());
  return count;
}

}  // namespace

void EarlyStoppingOptions::describe(Fields& f) {
  f.add("metric", metric,
        "what decides which epoch is best: split/name; never of the test split, which chooses nothing")
      .choices({"train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/loss_raw", "val/accuracy_raw"});
  f.add("mode", mode, "whether more or less of it is better").choices({"max", "min"});
  f.add("patience", patience, "stop after so many evaluations without a better one; 0: never").min(0);
}

void TrainOptions::describe(Fields& f) {
  f.add("epochs", epochs, "passes over the training split").range(1, 1000000);
  f.add("batch_size", batch_size, "examples in a batch").range(1, 65536);
  f.add("accumulate", accumulate, "batches whose gradients are added up before a step").range(1, 4096);
  f.add("clip_norm", clip_norm, "largest L2 norm of the gradient; 0: no clipping").min(0);
  f.add("ema_decay", ema_decay, "moving average of weights used for evaluation; 0: none").range(0, 0.99999);
  f.add("workers", workers, "threads that prepare batches; changes no number").range(1, 256);
  f.add("eval_every", eval_every, "epochs between evaluations on the validation split").range(1, 1000000);
  f.add("eval_batch_size", eval_batch_size, "examples in an evaluation batch").range(1, 65536);
  f.add("save_interval", save_interval, "least time between checkpoints at the end of epochs").unit("s").min(0);
  f.add("save_every_steps", save_every_steps, "also save after so many steps; 0: at the end of epochs only").min(0);
  f.section("early_stopping", early_stopping);
}

Trainer::Trainer(TrainSetup setup) : setup_(std::move(setup)), optimizer_(setup_.optim, rules_for(setup_)) {
  if (setup_.options.ema_decay > 0) ema_ = std::make_unique<Ema>(*setup_.model, setup_.options.ema_decay);
  const auto batches = static_cast<int64_t>(batches_of(setup_.train_rows, setup_.options.batch_size).size());
  const int64_t steps_per_epoch = (batches + setup_.options.accumulate - 1) / setup_.options.accumulate;
  total_steps_ = steps_per_epoch * setup_.options.epochs;

  const EarlyStoppingOptions& stopping = setup_.options.early_stopping;
  std::vector<std::string> known = {"train/loss", "train/accuracy"};
  if (!setup_.val_rows.empty()) {
    for (const char* name : {"val/loss", "val/accuracy"}) {
      known.emplace_back(name);
      if (ema_) known.push_back(std::string(name) + "_raw");
    }
  }
  // The default metric needs no validation split as long as nothing is to be stopped by it.
  const bool asked = stopping.patience > 0 || stopping.metric != EarlyStoppingOptions().metric;
  if (asked && std::find(known.begin(), known.end(), stopping.metric) == known.end()) {
    throw InputError("CFG-RULE", "", "train.early_stopping.metric",
                     fmt::format("got {}, expected one of {}{}", stopping.metric, join(known, ", "),
                                 setup_.val_rows.empty() ? "; there is no validation split" : ""));
  }
}

bool Trainer::run() {
  if (!log_) log_ = std::make_unique<RunLog>(setup_.run, setup_.tensorboard, state_.epoch);
  saved_at_ = begun_at_ = seconds_now();
  begun_epoch_ = state_.epoch;
  setup_.model->train();
  Progress progress("training", total_steps_, state_.step);
  while (state_.epoch < setup_.options.epochs && !state_.stopped_early) {
    const double begin = seconds_now();
    train_epoch(progress);
    if (stop_signal() != 0) {
      save("last");
      return false;
    }
    try {
      finish_epoch(seconds_now() - begin);
    } catch (const Stopped&) {  // in its validation: that is done again, the epoch is not
      save("last");
      return false;
    }
  }
  save("last");
  return true;
}

void Trainer::train_epoch(Progress& progress) {
  const auto rows = epoch_order(setup_.train_rows, setup_.seed, state_.epoch);
  const auto batches = batches_of(rows, setup_.options.batch_size);
  Stage stage{setup_.seed, state_.epoch, setup_.options.epochs, 0};
  Loader loader(static_cast<size_t>(state_.batch), batches.size(), static_cast<int>(setup_.options.workers),
                [&](size_t number) {
                  Batch batch = setup_.cache->rows(batches[number]);
                  batch.y = targets_of(setup_.cache->dataset(), batches[number]);
                  setup_.pipeline->run_train(batch, stage);
                  return batch;
                });
  const auto window = static_cast<size_t>(setup_.options.accumulate);

  while (auto batch = loader.next()) {
    const auto number = static_cast<size_t>(state_.batch);
    const size_t window_begin = number - number % window;
    forward_backward(*batch, examples(batches, window_begin, window_begin + window));
    ++state_.batch;
    if (state_.batch % setup_.options.accumulate != 0 && number + 1 < batches.size()) continue;
    step_optimizer();
    progress.update(state_.step, fmt::format("epoch {}/{}  loss {:.3f}", state_.epoch + 1, setup_.options.epochs,
                                             state_.loss_sum / static_cast<double>(state_.seen)));
    if (stop_signal() != 0) return;
    const int64_t every = setup_.options.save_every_steps;
    if (every > 0 && state_.step % every == 0) save("last");
  }
}

void Trainer::forward_backward(const Batch& batch, int64_t window_examples) {
  last_ids_ = batch.ids;
  // Dropout draws from LibTorch's generator: seeding it by the batch's place makes it a function of the place alone.
  const uint64_t place = static_cast<uint64_t>(state_.epoch) * 1000003U + static_cast<uint64_t>(state_.batch);
  torch::manual_seed(Draw(setup_.seed, place, 0, 0xFFFF0002).bits());

  const torch::Tensor y = batch.y.to(setup_.device);
  const torch::Tensor logits = setup_.model->forward(batch.x.to(setup_.device));
  const torch::Tensor losses = item_losses(setup_.loss, logits, y);
  const torch::Tensor sum = losses.sum();
  const double value = sum.item<double>();
  if (!std::isfinite(value)) {
    throw DivergenceError(
        fmt::format("step {}", state_.step),
        fmt::format(
            "got loss {} in epoch {}, last finite mean loss {:.4g}, rows {}; try a lower optim.lr or train.clip_norm",
            number_text(value), state_.epoch,
            state_.seen > 0 ? state_.loss_sum / static_cast<double>(state_.seen) : NAN, fmt::join(last_ids_, " ")));
  }
  (sum / static_cast<double>(window_examples)).backward();
  state_.loss_sum += value;
  const torch::Tensor guess = logits.detach();
  const torch::Tensor right =
      setup_.loss.name == "binary" ? ((guess >= 0) == (y > 0.5)).all(1) : guess.argmax(1) == y.argmax(1);
  state_.correct += right.sum().item<int64_t>();
  state_.seen += batch.size();
}

void Trainer::step_optimizer() {
  const double norm = optimizer_.clip(setup_.options.clip_norm);
  if (!std::isfinite(norm)) {
    throw DivergenceError(fmt::format("step {}", state_.step),
                          fmt::format("got gradient norm {} in epoch {}, rows {}; try a lower optim.lr",
                                      number_text(norm), state_.epoch, fmt::join(last_ids_, " ")));
  }
  optimizer_.step(learning_rate(setup_.schedule, setup_.optim.lr, state_.step, total_steps_));
  optimizer_.zero_grad();
  if (ema_) ema_->update(*setup_.model);
  state_.norm_sum += norm;
  ++state_.steps_in_epoch;
  ++state_.step;
}

bool Trainer::better(double value) const {
  if (!std::isfinite(value)) return false;
  if (state_.best_epoch < 0) return true;
  return setup_.options.early_stopping.mode == "max" ? value > state_.best
                                                     : value < state_.best;  // ties keep the older one
}

void Trainer::finish_epoch(double seconds) {
  const int64_t epoch = state_.epoch;
  std::vector<std::pair<std::string, double>> figures = {
      {"train/loss", state_.loss_sum / static_cast<double>(state_.seen)},
      {"train/accuracy", static_cast<double>(state_.correct) / static_cast<double>(state_.seen)},
      {"train/lr", learning_rate(setup_.schedule, setup_.optim.lr, state_.step - 1, total_steps_)},
      {"train/grad_norm", state_.norm_sum / static_cast<double>(state_.steps_in_epoch)}};
  const bool last = epoch + 1 == setup_.options.epochs;
  const bool evaluated = !setup_.val_rows.empty() && ((epoch + 1) % setup_.options.eval_every == 0 || last);
  if (evaluated) {
    const bool several = setup_.loss.name == "binary";
    const auto measure = [&](const std::string& suffix) {
      const Scores scores =
          evaluate(*setup_.model, *setup_.cache, *setup_.pipeline, setup_.val_rows, setup_.options.eval_batch_size, 1,
                   static_cast<int>(setup_.options.workers), several, setup_.device);
      figures.emplace_back("val/loss" + suffix, mean_log_loss(scores, several));
      figures.emplace_back("val/accuracy" + suffix, accuracy(scores, several));
    };
    if (ema_) {
      measure("_raw");
      ema_->swap(*setup_.model);
      try {
        measure("");
      } catch (...) {
        ema_->swap(*setup_.model);
        throw;
      }
      ema_->swap(*setup_.model);
    } else {
      measure("");
    }
  }
  for (const auto& [name, value] : figures) {
    const size_t slash = name.find('/');
    log_->add(state_.step, epoch, name.substr(0, slash), name.substr(slash + 1), value);
  }
  log_->add(state_.step, epoch, "system", "examples_per_s", static_cast<double>(state_.seen) / seconds);
  log_->flush();

  bool best = false;
  const EarlyStoppingOptions& stopping = setup_.options.early_stopping;
  for (const auto& [name, value] : figures) {
    if (name != stopping.metric || !better(value)) continue;
    best = true;
    state_.best = value;
    state_.best_epoch = epoch;
  }
  state_.stopped_early = stopping.patience > 0 && state_.best_epoch >= 0 &&
                         epoch - state_.best_epoch >= stopping.patience * setup_.options.eval_every;
  report_epoch(figures, best);

  state_.epoch = epoch + 1;
  state_.batch = state_.seen = state_.correct = state_.steps_in_epoch = 0;
  state_.loss_sum = state_.norm_sum = 0;
  if (best) save("best");
  if (seconds_now() - saved_at_ >= setup_.options.save_interval) save("last");
}

void Trainer::report_epoch(const std::vector<std::pair<std::string, double>>& figures, bool best) {
  const double now = seconds_now();
  const int64_t done = state_.epoch + 1;
  const bool last = done == setup_.options.epochs || state_.stopped_early;
  // A long run of short epochs would drown the log: a line at most every five seconds, and always the first and last.
  if (!last && done > 1 && now - reported_at_ < 5.0) return;
  reported_at_ = now;
  std::string line = fmt::format("epoch {:>4}/{}", done, setup_.options.epochs);
  for (const auto& [name, value] : figures) {
    if (name != "train/grad_norm") line += fmt::format("  {} {:.4g}", name, value);
  }
  const double per_epoch = (now - begun_at_) / static_cast<double>(done - begun_epoch_);
  if (!last) line += "  left " + duration_text(per_epoch * static_cast<double>(setup_.options.epochs - done));
  if (best) line += "  * best";
  log::info("{}", line);
}

void Trainer::use_final_weights() {
  if (ema_) ema_->swap(*setup_.model);
  setup_.model->eval();
}

}  // namespace amae
