#include "train/trainer.h"

#include <fmt/format.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/streams.h"

namespace amae {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TrainSetup frozen(TrainSetup setup) {
  freeze_layers(setup.objective->model(), setup.objective->model().encoder(), setup.options.freeze);
  return setup;
}

std::vector<NamedParameter> rules_for(const TrainSetup& setup) {
  std::vector<std::pair<std::string, torch::Tensor>> parameters;
  for (const auto& item : setup.objective->model().named_parameters())
    parameters.emplace_back(item.key(), item.value());
  const Encoder& encoder = setup.objective->model().encoder();
  return parameter_rules(parameters, setup.optim.layer_decay, encoder.depth(),
                         [&](const std::string& name) { return encoder.layer_of(name); });
}

int64_t examples(const std::vector<std::vector<int64_t>>& batches, size_t begin, size_t end) {
  int64_t count = 0;
  for (size_t i = begin; i < std::min(end, batches.size()); ++i) count += static_cast<int64_t>(batches[i].size());
  return count;
}

}  // namespace

void EarlyStoppingOptions::describe(Fields& f) {
  f.add("metric", metric,
        "what decides which epoch is best: a loss or accuracy of training or validation, such as train/loss or "
        "val/accuracy (with train.ema_decay also val/accuracy_raw), not lr, grad_norm or knn_accuracy; empty: "
        "val/accuracy where there is one, else val/loss, the less the better");
  f.add("mode", mode, "whether more or less of a given metric is better").choices({"max", "min"});
  f.add("patience", patience, "stop after so many evaluations without a better one; 0: never").min(0);
}

void EarlyStoppingOptions::check() const {
  if (metric.empty() || metric.starts_with("train/") || metric.starts_with("val/")) return;
  throw InputError("CFG-RULE", "", "metric",
                   fmt::format("got {}, expected train/NAME or val/NAME; the test split chooses nothing", metric));
}

void TrainOptions::describe(Fields& f) {
  f.add("epochs", epochs, "passes over the training split").range(1, 1000000);
  f.add("batch_size", batch_size, "examples in a batch").range(1, 65536);
  f.add("accumulate", accumulate, "batches whose gradients are added up before a step").range(1, 4096);
  f.add("clip_norm", clip_norm, "largest L2 norm of the gradient; 0: no clipping").min(0);
  f.add("ema_decay", ema_decay, "moving average of weights used for evaluation; 0: none").range(0, 0.99999);
  f.add("freeze", freeze, "layer groups of the encoder that are not trained, from the input on; -1: all of it")
      .range(-1, 100000);
  f.add("workers", workers, "threads that prepare batches; changes no number").range(1, 256);
  f.add("eval_every", eval_every, "epochs between evaluations on the validation split").range(1, 1000000);
  f.add("eval_batch_size", eval_batch_size, "examples in an evaluation batch").range(1, 65536);
  f.add("save_interval", save_interval, "least time between checkpoints at the end of epochs").unit("s").min(0);
  f.add("save_every_steps", save_every_steps, "also save after so many steps; 0: at the end of epochs only").min(0);
  f.section("early_stopping", early_stopping);
}

void freeze_layers(torch::nn::Module& module, const Encoder& encoder, int64_t groups) {
  const auto refuse = [&](const std::string& message) { throw InputError("CFG-RULE", "", "train.freeze", message); };
  if (groups > encoder.depth())
    refuse(fmt::format("got {} layer groups, expected at most the model's {}, or -1 for all", groups, encoder.depth()));
  const std::string prefix = "encoder.";
  bool trains = false;
  for (auto& item : module.named_parameters()) {
    const std::string& name = item.key();
    if (name.starts_with(prefix) && (groups < 0 || encoder.layer_of(name.substr(prefix.size())) < groups))
      item.value().set_requires_grad(false);
    trains = trains || item.value().requires_grad();
  }
  if (!trains) refuse(fmt::format("got {}, which leaves nothing to train; expected less", groups));
}

Trainer::Trainer(TrainSetup setup) : setup_(frozen(std::move(setup))), optimizer_(setup_.optim, rules_for(setup_)) {
  if (setup_.options.ema_decay > 0) ema_ = std::make_unique<Ema>(module(), setup_.options.ema_decay);
  const auto batches = static_cast<int64_t>(batches_of(setup_.train_rows, setup_.options.batch_size).size());
  const int64_t steps_per_epoch = (batches + setup_.options.accumulate - 1) / setup_.options.accumulate;
  total_steps_ = steps_per_epoch * setup_.options.epochs;
  choose_metric();
}

void Trainer::choose_metric() {
  std::vector<std::string> known = {"train/loss"};
  for (const std::string& name : setup_.objective->training_figures()) known.push_back("train/" + name);
  if (setup_.validates) {
    for (const std::string& name : setup_.objective->validation_figures()) {
      known.push_back("val/" + name);
      if (ema_) known.push_back("val/" + name + "_raw");
    }
  }
  const auto is_known = [&](const char* name) { return std::find(known.begin(), known.end(), name) != known.end(); };
  const EarlyStoppingOptions& stopping = setup_.options.early_stopping;
  metric_ = stopping.metric;
  more_is_better_ = stopping.mode == "max";
  if (metric_.empty()) {
    more_is_better_ = is_known("val/accuracy");
    metric_ = more_is_better_ ? "val/accuracy" : is_known("val/loss") ? "val/loss" : "";
    if (!metric_.empty() || stopping.patience == 0) return;  // no best epoch is no harm while nothing is stopped by it
  }
  if (!is_known(metric_.c_str())) {
    throw InputError("CFG-RULE", "", "train.early_stopping.metric",
                     fmt::format("got {}, expected one of {}{}", metric_.empty() ? "none" : metric_, join(known, ", "),
                                 setup_.validates ? "" : "; there is no validation split"));
  }
}

bool Trainer::run() {
  if (!log_) log_ = std::make_unique<RunLog>(setup_.run, setup_.tensorboard, state_.epoch);
  saved_at_ = begun_at_ = seconds_now();
  begun_epoch_ = state_.epoch;
  module().train();
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
    } catch (const Stopped&) {  // while it was judged: that is done again, the epoch is not
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
  const Stage stage{setup_.seed, state_.epoch, setup_.options.epochs, 0};
  Loader loader(static_cast<size_t>(state_.batch), batches.size(), static_cast<int>(setup_.options.workers),
                [&](size_t number) {
                  Batch batch = setup_.cache->rows(batches[number]);
                  if (setup_.objective->uses_labels()) batch.y = targets_of(setup_.cache->dataset(), batches[number]);
                  setup_.pipeline->run_train(batch, stage);
                  return batch;
                });
  const auto window = static_cast<size_t>(setup_.options.accumulate);

  while (auto batch = loader.next()) {
    const auto number = static_cast<size_t>(state_.batch);
    const size_t window_begin = number - number % window;
    forward_backward(*batch, stage, examples(batches, window_begin, window_begin + window));
    ++state_.batch;
    if (state_.batch % setup_.options.accumulate != 0 && number + 1 < batches.size()) continue;
    step_optimizer();
    progress.update(state_.step, fmt::format("epoch {}/{}  loss {:.3f}", state_.epoch + 1, setup_.options.epochs,
                                             state_.sums["loss"] / static_cast<double>(state_.seen)));
    if (stop_signal() != 0) return;
    const int64_t every = setup_.options.save_every_steps;
    if (every > 0 && state_.step % every == 0) save("last");
  }
}

void Trainer::forward_backward(const Batch& batch, const Stage& stage, int64_t window_examples) {
  last_ids_ = batch.ids;
  // Dropout draws from LibTorch's generator: seeding it by the batch's place makes it a function of the place alone.
  const uint64_t place = static_cast<uint64_t>(state_.epoch) * 1000003U + static_cast<uint64_t>(state_.batch);
  torch::manual_seed(Draw(setup_.seed, place, 0, kDropoutStream).bits());

  Batch on_device = batch;
  on_device.x = batch.x.to(setup_.device);
  if (batch.y.defined()) on_device.y = batch.y.to(setup_.device);
  const BatchResult result = setup_.objective->forward(on_device, stage);
  const double value = result.loss.item<double>();
  if (!std::isfinite(value)) {
    const std::string reason =
        result.made.defined() ? setup_.objective->model().not_finite_because(on_device.x, result.made) : "";
    throw DivergenceError(
        fmt::format("step {}", state_.step),
        fmt::format("got loss {} in epoch {}, last finite mean loss {:.4g}, rows {}{}; try a lower optim.lr or "
                    "train.clip_norm",
                    number_text(value), state_.epoch,
                    state_.seen > 0 ? state_.sums["loss"] / static_cast<double>(state_.seen) : NAN,
                    fmt::join(last_ids_, " "), reason.empty() ? "" : "; " + reason));
  }
  (result.loss / static_cast<double>(window_examples)).backward();
  if (!is_begun_) warn_of_idle_parameters();
  is_begun_ = true;
  state_.sums["loss"] += value;
  for (const auto& [name, sum] : result.sums) state_.sums[name] += sum;
  state_.seen += batch.size();
}

void Trainer::warn_of_idle_parameters() const {
  constexpr size_t kShown = 5;
  std::vector<std::string> idle;
  for (const auto& item : module().named_parameters()) {
    if (item.value().requires_grad() && !item.value().grad().defined()) idle.push_back(item.key());
  }
  if (idle.empty()) return;
  const size_t count = idle.size();
  if (count > kShown) idle.resize(kShown), idle.emplace_back("…");
  const Origin& origin = setup_.objective->model().origin();
  log::warning("{}{} got no gradient from the first batch for {} of its parameters: {}",
               origin.file.empty() ? "" : origin.file + ": ", origin.text(), count, join(idle, ", "));
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
  if (ema_) ema_->update(module());
  state_.norm_sum += norm;
  ++state_.steps_in_epoch;
  ++state_.step;
}

void Trainer::finish_epoch(double seconds) {
  const TrainOptions& options = setup_.options;
  const int64_t epoch = state_.epoch;
  bool last = epoch + 1 == options.epochs;
  Figures figures = training_figures();
  if (setup_.validates && (last || (epoch + 1) % options.eval_every == 0)) {
    for (auto& figure : validation_figures()) figures.push_back(std::move(figure));
  }
  // The state is left alone until all is done that a signal may end, for then it is done again.
  const std::optional<double> best = new_best(figures);
  const int64_t best_epoch = best ? epoch : state_.best_epoch, patience = options.early_stopping.patience;
  const bool stops = patience > 0 && best_epoch >= 0 && epoch - best_epoch >= patience * options.eval_every;
  last = last || stops;
  with_averages([&] {
    for (auto& figure : setup_.objective->look(epoch, state_.step, last, *log_)) figures.push_back(std::move(figure));
  });
  for (const auto& [name, value] : figures) {
    const size_t slash = name.find('/');
    log_->add(state_.step, epoch, name.substr(0, slash), name.substr(slash + 1), value);
  }
  log_->add(state_.step, epoch, "system", "examples_per_s", static_cast<double>(state_.seen) / seconds);
  log_->flush();

  if (best) state_.best = *best;
  state_.best_epoch = best_epoch;
  state_.stopped_early = stops;
  report_epoch(figures, best.has_value());

  state_.epoch = epoch + 1;
  state_.batch = state_.seen = state_.steps_in_epoch = 0;
  state_.norm_sum = 0;
  state_.sums.clear();
  if (best) save("best");
  if (seconds_now() - saved_at_ >= options.save_interval) save("last");
}

Figures Trainer::training_figures() const {
  const auto mean = [&](const std::string& name) {
    const auto found = state_.sums.find(name);
    return (found == state_.sums.end() ? 0.0 : found->second) / static_cast<double>(state_.seen);
  };
  Figures figures = {{"train/loss", mean("loss")}};
  for (const std::string& name : setup_.objective->training_figures())
    figures.emplace_back("train/" + name, mean(name));
  figures.emplace_back("train/lr", learning_rate(setup_.schedule, setup_.optim.lr, state_.step - 1, total_steps_));
  figures.emplace_back("train/grad_norm", state_.norm_sum / static_cast<double>(state_.steps_in_epoch));
  return figures;
}

Figures Trainer::validation_figures() {
  Figures figures;
  const auto measure = [&](const std::string& suffix) {
    for (const auto& [name, value] : setup_.objective->validate()) figures.emplace_back("val/" + name + suffix, value);
  };
  if (ema_) measure("_raw");
  with_averages([&] { measure(""); });
  return figures;
}

/// The averaged weights are in the module while `action` runs, where there are any.
void Trainer::with_averages(const std::function<void()>& action) {
  if (!ema_) return action();
  ema_->swap(module());
  try {
    action();
  } catch (...) {
    ema_->swap(module());
    throw;
  }
  ema_->swap(module());
}

/// The value of the metric when it is better than every one before; ties keep the older epoch.
std::optional<double> Trainer::new_best(const Figures& figures) const {
  for (const auto& [name, value] : figures) {
    if (name != metric_ || !std::isfinite(value)) continue;
    if (state_.best_epoch < 0 || (more_is_better_ ? value > state_.best : value < state_.best)) return value;
  }
  return std::nullopt;
}

void Trainer::report_epoch(const Figures& figures, bool best) {
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
  if (ema_) ema_->swap(module());
  module().eval();
}

}  // namespace amae
