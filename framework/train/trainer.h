// The training loop, with everything it needs to stop at any moment and go on as if it had not.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/loader.h"
#include "data/pipeline.h"
#include "train/classifier.h"
#include "train/ema.h"
#include "train/evaluate.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/run_log.h"
#include "train/schedule.h"

namespace amae {

struct EarlyStoppingOptions {
  std::string metric = "val/accuracy";  ///< "SPLIT/NAME" as in metrics.jsonl; never of the test split
  std::string mode = "max";             ///< max | min
  int64_t patience = 0;                 ///< epochs without improvement; 0: never stop early
  void describe(Fields& f);
};

struct TrainOptions {
  int64_t epochs = 50;
  int64_t batch_size = 32;
  int64_t accumulate = 1;
  double clip_norm = 0;
  double ema_decay = 0;
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
  LossOptions loss;
  uint64_t seed = 0;
  std::shared_ptr<Classifier> model;
  std::shared_ptr<const Pipeline> pipeline;
  std::shared_ptr<const FeatureCache> cache;
  std::vector<int64_t> train_rows, val_rows;
  torch::Device device = torch::kCPU;
  std::filesystem::path run;  ///< the run folder
  bool tensorboard = true;
  /// Writes the bundle part of a checkpoint into a folder; the model holds the weights to use. `weights` names their
  /// file.
  std::function<void(const std::filesystem::path& folder, const std::string& weights)> write_bundle;
};

/// Position and running figures: with the tensors, all that a resumed run needs. Saved as state.json.
struct TrainState {
  int64_t epoch = 0;                  ///< 0-based, the one in progress
  int64_t batch = 0;                  ///< batches of it already consumed
  int64_t step = 0;                   ///< optimizer steps taken
  double loss_sum = 0, norm_sum = 0;  ///< over the epoch so far; exact: saved as hexadecimal floats
  int64_t correct = 0, seen = 0, steps_in_epoch = 0;
  double best = 0;
  int64_t best_epoch = -1;
  bool stopped_early = false;
};

class Trainer {
 public:
  explicit Trainer(TrainSetup setup);

  /// Restores RUN/checkpoints/last; false when there is none. Throws InputError when it is damaged.
  bool restore();

  /// Trains to the end, or until stop_signal(); then saves. Returns true when finished.
  bool run();

  /// After run(): the averaged weights (the raw ones without EMA) are in the model.
  void use_final_weights();

  [[nodiscard]] const TrainState& state() const { return state_; }
  [[nodiscard]] RunLog& log() { return *log_; }

 private:
  void train_epoch(Progress& progress);
  void forward_backward(const Batch& batch, int64_t window_examples);
  void step_optimizer();
  void finish_epoch(double seconds);
  void save(const std::string& name);
  void write_state(const std::filesystem::path& file) const;
  void read_state(const std::filesystem::path& file);
  [[nodiscard]] bool better(double value) const;
  void report_epoch(const std::vector<std::pair<std::string, double>>& figures, bool best);

  TrainSetup setup_;
  Optimizer optimizer_;
  std::unique_ptr<Ema> ema_;
  std::unique_ptr<RunLog> log_;
  TrainState state_;
  std::vector<int64_t> last_ids_;  ///< of the newest batch, for messages
  int64_t total_steps_ = 0;
  double saved_at_ = 0, reported_at_ = 0, begun_at_ = 0;
  int64_t begun_epoch_ = 0;
};

}  // namespace amae
