// What every task that trains does the same way, from the data to the report; finetune and pretrain are TrainingTasks.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "task/session.h"
#include "train/evaluate.h"
#include "train/objective.h"

namespace amae {

/// All that stands when an objective is made: the data is read, the pipeline fitted, the model on the device.
struct TrainingContext {
  const Plan& plan;
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const FeatureCache> cache;
  std::shared_ptr<const Pipeline> pipeline;
  Split split;
  std::shared_ptr<Classifier> model;  ///< without a head in pretraining
  torch::Device device;
  std::filesystem::path run;
};

/// What is a task's own.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  /// False: a data set without labels will do.
  [[nodiscard]] virtual bool needs_labels() const = 0;

  /// A fresh model, seeded, on the CPU. Called before any sound is decoded, so that its mistakes come first.
  /// `fold`: the test fold of this run in a cross-validation, else empty. `initialised_later`: a checkpoint is about to
  /// replace the weights, so init_from is not read.
  virtual std::shared_ptr<Classifier> make_model(const Plan& plan, const Dataset& dataset, const Pipeline& pipeline,
                                                 const std::vector<int64_t>& fold, bool initialised_later) = 0;

  virtual std::shared_ptr<Objective> make_objective(const TrainingContext& context) = 0;

  /// Class scores of rows by the finished model; `views` passes where that means anything. Not called for data without
  /// labels.
  virtual Scores scores(const TrainingContext& context, const std::vector<int64_t>& rows, int64_t views) = 0;

 protected:
  TrainingTask() = default;
  TrainingTask(const TrainingTask&) = default;
  TrainingTask& operator=(const TrainingTask&) = default;
};

/// Trains (or goes on) in the folder that `run_folder` makes once the data and the chain have proved sound, one run a
/// test fold where the config has folds; evaluates, reports, keeps the bundle under save_as. False when stopped.
bool run_training(Plan& plan, const RunRequest& request, const std::function<std::filesystem::path()>& run_folder,
                  TrainingTask& task);

}  // namespace amae
