// Learning by filling in what was hidden: a masked autoencoder sees some tokens of each item and predicts the others.
//
// An item's mask is a function of (seed, epoch, row), so that a resumed run hides the same. For validation and for
// pictures it is a function of (seed, row): their losses can be compared from epoch to epoch.
#pragma once

#include <functional>

#include "train/classifier.h"
#include "train/knn_probe.h"
#include "train/objective.h"
#include "train/pretraining.h"

namespace amae {

/// One reconstruction to look at, on the CPU.
struct ReconstructionView {
  std::string id;
  double loss = 0;
  torch::Tensor input, prediction;  ///< [C, F, T] or [C, N]
  torch::Tensor hidden;             ///< bool [F, T] or [N]: what the encoder did not see
};

/// Which part of an item ([C, F, T] or [C, N]) no token of `kept` covers: bool [F, T] or [N]. Tokens are patches of
/// equal size from the first bin and the first frame on; what is left over belongs to none, which shows in that the
/// prediction is the input there.
torch::Tensor hidden_part(const TokenGrid& grid, const std::vector<int64_t>& kept, const torch::Tensor& input,
                          const torch::Tensor& prediction);

/// What a ReconstructionObjective works on.
struct ReconstructionSetup {
  PretrainOptions options;
  KnnOptions knn;
  uint64_t seed = 0;
  std::shared_ptr<Classifier> model;  ///< without a head, its encoder a MaskedAutoencoder with at least two tokens
  std::shared_ptr<const Pipeline> pipeline;
  std::shared_ptr<const FeatureCache> cache;
  std::vector<int64_t> train_rows, val_rows;
  int64_t eval_batch_size = 64;
  int workers = 1;
  torch::Device device = torch::kCPU;
  /// Draws reconstructions as a picture [H, W, 3] uint8; `epochs` are done. Null: no pictures.
  std::function<torch::Tensor(const std::vector<ReconstructionView>& views, int64_t epochs)> draw;
};

/// Loss of an item: its reconstruction error + uniformity * U + contrastive * C, where U and C (train/contrastive.h)
/// are those of its batch; the terms are figures of their own where there is more than one. Labels are read for C and
/// for the probe by nearest neighbours, which changes no weight: "val/knn_accuracy"; without a validation split
/// "train/knn_accuracy" by the rule of knn_probe(), and nothing with C, which has seen those labels.
class ReconstructionObjective : public Objective {
 public:
  /// Warns when labels take part. Throws std::invalid_argument when the model is none of the above, or C is asked for
  /// data without labels.
  explicit ReconstructionObjective(ReconstructionSetup setup);

  [[nodiscard]] Classifier& model() const override { return *setup_.model; }
  [[nodiscard]] bool uses_labels() const override { return setup_.options.contrastive > 0; }
  BatchResult forward(const Batch& batch, const Stage& stage) override;
  [[nodiscard]] std::vector<std::string> training_figures() const override;
  [[nodiscard]] std::vector<std::string> validation_figures() const override { return {"loss"}; }
  Figures validate() override;
  Figures look(int64_t epoch, int64_t step, bool last, RunLog& log) override;

  /// Numbers of the visible tokens of each row [B, K] int64, on the CPU.
  [[nodiscard]] torch::Tensor training_masks(const std::vector<int64_t>& rows, const Stage& stage) const;
  [[nodiscard]] torch::Tensor fixed_masks(const std::vector<int64_t>& rows) const;

 private:
  /// The encoder's reconstruct(), held to its word as Classifier::features() is.
  [[nodiscard]] Reconstruction reconstruct(const torch::Tensor& x, const torch::Tensor& kept) const;
  [[nodiscard]] Batch evaluation_batch(const std::vector<int64_t>& rows) const;
  [[nodiscard]] torch::Tensor picture(int64_t epochs);
  [[nodiscard]] Figures neighbours();

  ReconstructionSetup setup_;
  MaskedAutoencoder* autoencoder_;  // the model's encoder
};

}  // namespace amae
