#include "task/pretrain.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "base/text.h"
#include "config/read.h"
#include "task/reconstruction_sheet.h"
#include "task/training.h"
#include "train/knn_probe.h"
#include "train/reconstruction.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

FeatureSource source_of(const TrainingContext& context) {
  const TrainOptions& train = context.plan.config.train;
  return {*context.model, *context.cache, *context.pipeline, train.eval_batch_size, static_cast<int>(train.workers),
          context.device};
}

/// What validation and pictures need: clips that differ from those in training in nothing but their length.
void check_evaluation(const Pipeline& pipeline, const std::string& where) {
  const Spec &training = pipeline.output(Mode::train), &evaluation = pipeline.output(Mode::eval);
  const auto one_step = [](const Spec& spec) { return std::vector<int64_t>(spec.shape.begin(), spec.shape.end() - 1); };
  if (one_step(training) == one_step(evaluation)) return;
  throw InputError("CFG-RULE", where, "transforms",
                   fmt::format("got {} in evaluation and {} in training, expected the same but for the length",
                               evaluation.text(), training.text()));
}

class Pretraining final : public TrainingTask {
 public:
  [[nodiscard]] bool needs_labels() const override { return false; }

  std::shared_ptr<Classifier> make_model(const Plan& plan, const Dataset& dataset, const Pipeline& pipeline,
                                         const std::vector<int64_t>& fold, bool initialised_later) override {
    const auto where = [&](const char* field) { return config::mark_of(*plan.tree, field).text(); };
    if (plan.config.pretrain.contrastive > 0 && !dataset.labels().defined()) {
      throw InputError("CFG-RULE", where("pretrain.contrastive"), "pretrain.contrastive",
                       fmt::format("got {} for data without labels, expected 0", plan.config.pretrain.contrastive));
    }
    check_evaluation(pipeline, where("transforms"));
    std::shared_ptr<Encoder> encoder = make_encoder(plan, pipeline, true);
    const auto* autoencoder = dynamic_cast<const MaskedAutoencoder*>(encoder.get());
    if (autoencoder == nullptr) {
      throw InputError("CFG-RULE", where("model"), "model",
                       fmt::format("got {}, which cannot reconstruct, expected a masked autoencoder",
                                   printable(plan.config.model.name)));
    }
    if (autoencoder->token_grid().size() < 2) {
      throw InputError("CFG-RULE", where("model"), "model",
                       fmt::format("got {} as one token, of which nothing can be hidden; try smaller patches",
                                   pipeline.output(Mode::train).text()));
    }
    auto model = std::make_shared<Classifier>(std::move(encoder), 0, plan.config.head, model_origin(plan));
    if (!initialised_later) initialise(plan, *model, fold);
    return model;
  }

  std::shared_ptr<Objective> make_objective(const TrainingContext& context) override {
    const RunConfig& config = context.plan.config;
    ReconstructionSetup setup;
    setup.options = config.pretrain;
    setup.knn = config.probe.knn;
    setup.seed = static_cast<uint64_t>(config.seed);
    setup.model = context.model;
    setup.pipeline = context.pipeline;
    setup.cache = context.cache;
    setup.train_rows = context.split.train;
    setup.val_rows = context.split.val;
    setup.eval_batch_size = config.train.eval_batch_size;
    setup.workers = static_cast<int>(config.train.workers);
    setup.device = context.device;
    setup.draw = [name = config.model.name, total = config.train.epochs](const std::vector<ReconstructionView>& views,
                                                                         int64_t epochs) {
      return draw_reconstructions(views, fmt::format("{} after {} of {} epochs", name, epochs, total)).rgb();
    };
    return std::make_shared<ReconstructionObjective>(std::move(setup));
  }

  Scores scores(const TrainingContext& context, const std::vector<int64_t>& rows, int64_t /*views*/) override {
    return knn_probe(context.plan.config.probe.knn, source_of(context), context.split.train, rows);
  }
};

}  // namespace

bool pretrain(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder) {
  Pretraining task;
  return run_training(plan, request, run_folder, task);
}

}  // namespace amae
