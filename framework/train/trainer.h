// The training loop, with everything it needs to stop at any moment and go on as if it had not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/loader.h"
#include "data/pipeline.h"
#include "train/ema.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/run_log.h"
#include "train/schedule.h"

namespace amae {

struct EarlyStoppingOptions {
  /// "train/loss", or "train/NAME" or "val/NAME" of a figure that the objective names in training_figures() or
  /// validation_figures() (of the latter also "val/NAME_raw" with moving averages); not train/lr, train/grad_norm or
  /// what look() gives. Empty: val/accuracy where the objective has one, else val/loss, less being better.
  std::string metric;
  std::string mode = "max";  ///< of a metric that is given: max | min
  int64_t patience = 0;      ///< epochs without improvement; 0: never stop early
  void describe(Fields& f);
  void check() const;
};

struct TrainOptions {
  int64_t epochs = 50;
  int64_t batch_size = 32;
  int64_t accumulate = 1;
  double clip_norm = 0;
  double ema_decay = 0;
  int64_t freeze = 0;  ///< layer groups of the encoder that are not trained, from the input on; -1: all of it
  int64_t workers = 1;
  int64_t eval_every = 1;
  int64_t eval_batch_size = 64;
  double save_interval = 30;
  int64_t save_every_steps = 0;
  EarlyStoppingOptions early_stopping;
  void describe(Fields& f);
};

/// What runs; made by the task.
struct TrainSetup {
  TrainOptions options;
  OptimOptions optim;
  ScheduleOptions schedule;
  uint64_t seed = 0;
  std::shared_ptr<Objective> objective;
  std::shared_ptr<const Pipeline> pipeline;
  std::shared_ptr<const FeatureCache> cache;
  std::vector<int64_t> train_rows;
  bool validates = false;  ///< there is a validation split; its rows are the objective's
  torch::Device device = torch::kCPU;
  std::filesystem::path run;  ///< the run folder
  bool tensorboard = true;
  /// Writes the bundle part of a checkpoint into a folder; the module holds the weights to use. `weights` names their
  /// file.
  std::function<void(const std::filesystem::path& folder, const std::string& weights)> write_bundle;
};

/// Position and running figures: with the tensors, all that a resumed run needs. Saved as state.json, its sums as
/// hexadecimal floats so that they are exact.
struct TrainState {
  int64_t epoch = 0;                   ///< 0-based, the one in progress
  int64_t batch = 0;                   ///< batches of it already consumed
  int64_t step = 0;                    ///< optimizer steps taken
  std::map<std::string, double> sums;  ///< over the items of the epoch so far: "loss" and what the objective names
  double norm_sum = 0;                 ///< over its steps
  int64_t seen = 0, steps_in_epoch = 0;
  double best = 0;
  int64_t best_epoch = -1;
  bool stopped_early = false;
};

/// Takes the first `groups` layer groups of the encoder (-1: all of them) out of training: their parameters want no
/// gradient. `module` holds the encoder as "encoder". Throws InputError (field train.freeze) when the encoder has fewer
/// groups, or when nothing in `module` would be trained. Twice is as good as once.
void freeze_layers(torch::nn::Module& module, const Encoder& encoder, int64_t groups);

class Trainer {
 public:
  /// Freezes what options.freeze says. Throws InputError when that or the early stopping metric makes no sense here.
  explicit Trainer(TrainSetup setup);

  /// Restores RUN/checkpoints/last; false when there is none. Throws InputError when it is damaged.
  bool restore();

  /// Trains to the end, or until stop_signal(); then saves. Returns true when finished.
  bool run();

  /// After run(): the averaged weights (the raw ones without EMA) are in the module, in evaluation mode.
  void use_final_weights();

  [[nodiscard]] const TrainState& state() const { return state_; }
  [[nodiscard]] RunLog& log() { return *log_; }

 private:
  void train_epoch(Progress& progress);
  void forward_backward(const Batch& batch, const Stage& stage, int64_t window_examples);
  void warn_of_idle_parameters() const;
  void step_optimizer();
  void finish_epoch(double seconds);
  [[nodiscard]] Figures training_figures() const;
  [[nodiscard]] Figures validation_figures();
  void with_averages(const std::function<void()>& action);
  void choose_metric();
  [[nodiscard]] std::optional<double> new_best(const Figures& figures) const;
  void report_epoch(const Figures& figures, bool best);
  void save(const std::string& name);
  void write_state(const std::filesystem::path& file) const;
  [[nodiscard]] torch::nn::Module& module() const { return setup_.objective->model(); }

  TrainSetup setup_;
  Optimizer optimizer_;
  std::unique_ptr<Ema> ema_;
  std::unique_ptr<RunLog> log_;
  TrainState state_;
  std::string metric_;  ///< what tells the best epoch, as "SPLIT/NAME"; empty: nothing does
  bool more_is_better_ = true;
  std::vector<int64_t> last_ids_;  ///< of the newest batch, for messages
  bool is_begun_ = false;          ///< a batch has been back through the model in this process
  int64_t total_steps_ = 0;
  double saved_at_ = 0, reported_at_ = 0, begun_at_ = 0;
  int64_t begun_epoch_ = 0;
};

}  // namespace amae
