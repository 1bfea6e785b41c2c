#include "task/finetune.h"

#include "task/training.h"
#include "train/classification.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

class Finetuning final : public TrainingTask {
 public:
  [[nodiscard]] bool needs_labels() const override { return true; }

  std::shared_ptr<Classifier> make_model(const Plan& plan, const Dataset& dataset, const Pipeline& pipeline,
                                         const std::vector<int64_t>& fold, bool initialised_later) override {
    auto model = std::make_shared<Classifier>(make_encoder(plan, pipeline, /*reconstructs=*/false),
                                              static_cast<int64_t>(dataset.classes().size()), plan.config.head,
                                              model_origin(plan));
    if (!initialised_later) initialise(plan, *model, fold);
    return model;
  }

  std::shared_ptr<Objective> make_objective(const TrainingContext& c) override {
    const RunConfig& config = c.plan.config;
    return std::make_shared<ClassificationObjective>(
        ClassificationSetup{config.loss, c.model, c.cache, c.pipeline, c.split.val, config.train.eval_batch_size,
                            static_cast<int>(config.train.workers), c.device});
  }

  Scores scores(const TrainingContext& c, const std::vector<int64_t>& rows, int64_t views) override {
    const TrainOptions& train = c.plan.config.train;
    return evaluate(*c.model, *c.cache, *c.pipeline, rows, train.eval_batch_size, views,
                    static_cast<int>(train.workers), has_several_labels(*c.dataset), c.device);
  }
};

}  // namespace

bool finetune(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder) {
  Finetuning task;
  return run_training(plan, request, run_folder, task);
}

}  // namespace amae
