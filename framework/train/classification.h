// Training with labels as an objective.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/cache.h"
#include "data/pipeline.h"
#include "train/classifier.h"
#include "train/loss.h"
#include "train/objective.h"

namespace amae {

/// What a ClassificationObjective works on.
struct ClassificationSetup {
  LossOptions loss;  ///< binary: several labels a row
  std::shared_ptr<Classifier> model;
  std::shared_ptr<const FeatureCache> cache;
  std::shared_ptr<const Pipeline> pipeline;
  std::vector<int64_t> val_rows;
  int64_t eval_batch_size = 64;
  int workers = 1;  ///< that prepare validation batches
  torch::Device device = torch::kCPU;
};

/// The loss on the logits of a classifier with a head. Figures: loss and accuracy (with several labels: all of a row's
/// right); those of the validation split are of its plain view.
class ClassificationObjective : public Objective {
 public:
  explicit ClassificationObjective(ClassificationSetup setup) : setup_(std::move(setup)) {}

  [[nodiscard]] Classifier& model() const override { return *setup_.model; }
  BatchResult forward(const Batch& batch, const Stage& stage) override;
  [[nodiscard]] std::vector<std::string> training_figures() const override { return {"accuracy"}; }
  [[nodiscard]] std::vector<std::string> validation_figures() const override { return {"loss", "accuracy"}; }
  Figures validate() override;

 private:
  [[nodiscard]] bool several_labels() const { return setup_.loss.name == "binary"; }

  ClassificationSetup setup_;
};

}  // namespace amae
