#include "train/reconstruction.h"

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <stdexcept>

#include "base/log.h"
#include "base/stop.h"
#include "data/loader.h"
#include "data/streams.h"
#include "train/contrastive.h"

namespace amae {
namespace {

/// One mask for each row, from `draw_of(row)`.
template <class DrawOf>
torch::Tensor masks(const MaskOptions& options, const TokenGrid& grid, const std::vector<int64_t>& rows,
                    const DrawOf& draw_of) {
  std::vector<torch::Tensor> kept;
  for (const int64_t row : rows) {
    Draw draw = draw_of(row);
    kept.push_back(torch::tensor(draw_kept(options, grid, draw)));
  }
  return torch::stack(kept);
}

/// `x` with the training size along its last axis: a random crop leaves whole clips to evaluation, of which the
/// beginning is taken; shorter ones are repeated.
torch::Tensor with_length(torch::Tensor x, int64_t length) {
  TORCH_CHECK(x.size(-1) > 0, "a clip without length cannot be repeated");
  while (x.size(-1) < length) x = torch::cat({x, x}, -1);
  return x.slice(-1, 0, length).contiguous();
}

/// Length of a patch along an axis of which `differs` [N] says where prediction and input are not the same.
int64_t patch_length(const torch::Tensor& differs, int64_t tokens) {
  const torch::Tensor places = differs.nonzero();
  const int64_t covered = places.numel() > 0 ? places.max().item<int64_t>() + 1 : differs.size(0);
  // Up: the end of the last patch may be the input by chance.
  return std::min((covered + tokens - 1) / tokens, differs.size(0) / tokens);
}

bool is_due(int64_t every, int64_t epoch, bool last) { return every > 0 && (last || (epoch + 1) % every == 0); }

}  // namespace

torch::Tensor hidden_part(const TokenGrid& grid, const std::vector<int64_t>& kept, const torch::Tensor& input,
                          const torch::Tensor& prediction) {
  torch::Tensor differs = (input != prediction).any(0);
  const bool flat = differs.dim() == 1;
  if (flat) differs = differs.unsqueeze(0);
  const int64_t high = patch_length(differs.any(1), grid.bands), wide = patch_length(differs.any(0), grid.steps);
  torch::Tensor tokens = torch::ones({grid.size()}, torch::kBool);
  tokens.index_fill_(0, torch::tensor(kept), false);
  torch::Tensor hidden = torch::ones_like(differs);
  hidden.slice(0, 0, high * grid.bands)
      .slice(1, 0, wide * grid.steps)
      .copy_(tokens.view({grid.steps, grid.bands}).t().repeat_interleave(high, 0).repeat_interleave(wide, 1));
  return flat ? hidden[0] : hidden;
}

ReconstructionObjective::ReconstructionObjective(ReconstructionSetup setup)
    : setup_(std::move(setup)), autoencoder_(dynamic_cast<MaskedAutoencoder*>(&setup_.model->encoder())) {
  if (autoencoder_ == nullptr) throw std::invalid_argument("ReconstructionObjective: the encoder cannot reconstruct");
  if (setup_.options.contrastive > 0) {
    if (!setup_.cache->dataset().labels().defined())
      throw std::invalid_argument("ReconstructionObjective: the contrastive loss needs labels");
    log::warning("no longer self-supervised: pretrain.contrastive uses the labels");
  }
}

torch::Tensor ReconstructionObjective::training_masks(const std::vector<int64_t>& rows, const Stage& stage) const {
  Stage own = stage;
  own.index = kMaskStream;
  return masks(setup_.options.mask, autoencoder_->token_grid(), rows, [&](int64_t row) { return own.draw(row); });
}

torch::Tensor ReconstructionObjective::fixed_masks(const std::vector<int64_t>& rows) const {
  const Stage own{setup_.seed, 0, 1, kFixedMaskStream};
  return masks(setup_.options.mask, autoencoder_->token_grid(), rows, [&](int64_t row) { return own.draw(row); });
}

std::vector<std::string> ReconstructionObjective::training_figures() const {
  std::vector<std::string> names;
  if (setup_.options.uniformity > 0) names.emplace_back("uniformity");
  if (setup_.options.contrastive > 0) names.emplace_back("contrastive");
  if (!names.empty()) names.insert(names.begin(), "reconstruction");  // else it is the loss
  return names;
}

BatchResult ReconstructionObjective::forward(const Batch& batch, const Stage& stage) {
  const PretrainOptions& options = setup_.options;
  const Reconstruction made = reconstruct(batch.x, training_masks(batch.ids, stage).to(batch.x.device()));
  BatchResult result{made.losses.sum(), {}, made.losses};
  if (options.uniformity == 0 && options.contrastive == 0) return result;
  result.sums.emplace_back("reconstruction", result.loss.item<double>());
  const auto items = static_cast<double>(batch.size());
  const auto add = [&](const char* name, double weight, const torch::Tensor& loss) {
    result.loss = result.loss + weight * items * loss;
    result.sums.emplace_back(name, items * loss.item<double>());
  };
  if (options.uniformity > 0) add("uniformity", options.uniformity, uniformity_loss(made.features));
  if (options.contrastive > 0)
    add("contrastive", options.contrastive, contrastive_loss(made.features, batch.y, options.temperature));
  return result;
}

Reconstruction ReconstructionObjective::reconstruct(const torch::Tensor& x, const torch::Tensor& kept) const {
  const Origin& origin = setup_.model->origin();
  Reconstruction made =
      guarded_call(origin, "failed in reconstruct", [&] { return autoencoder_->reconstruct(x, kept); });
  const auto is_sound = [&](const torch::Tensor& t, int64_t dims) {
    return t.defined() && t.is_floating_point() && t.dim() == dims && t.size(0) == x.size(0);
  };
  if (!is_sound(made.losses, 1) || !is_sound(made.features, 2) || !is_sound(made.prediction, x.dim()) ||
      made.prediction.sizes() != x.sizes()) {
    blame(origin, fmt::format("gave losses {}, features {} and prediction {} for {}, expected floats [{}], [{}, D] and "
                              "the input's shape",
                              tensor_text(made.losses), tensor_text(made.features), tensor_text(made.prediction),
                              tensor_text(x), x.size(0), x.size(0)));
  }
  return made;
}

Batch ReconstructionObjective::evaluation_batch(const std::vector<int64_t>& rows) const {
  Batch batch = setup_.cache->rows(rows);
  setup_.pipeline->run_eval(batch, 0, 1);
  batch.x = with_length(batch.x, setup_.pipeline->output(Mode::train).shape.back());
  return batch;
}

Figures ReconstructionObjective::validate() {
  const EvalMode evaluating(*setup_.model);
  const torch::NoGradGuard no_grad;
  const auto batches = batches_of(setup_.val_rows, setup_.eval_batch_size);
  Loader loader(0, batches.size(), setup_.workers, [&](size_t number) { return evaluation_batch(batches[number]); });
  double sum = 0;
  while (auto batch = loader.next()) {
    throw_if_stopped();
    const torch::Tensor kept = fixed_masks(batch->ids).to(setup_.device);
    sum += reconstruct(batch->x.to(setup_.device), kept).losses.to(torch::kDouble).sum().item<double>();
  }
  return {{"loss", sum / static_cast<double>(setup_.val_rows.size())}};
}

Figures ReconstructionObjective::look(int64_t epoch, int64_t step, bool last, RunLog& log) {
  const PretrainOptions& options = setup_.options;
  if (setup_.draw && options.pictures > 0 && is_due(options.pictures_every, epoch, last))
    log.image(step, epoch, "reconstruction", picture(epoch + 1));
  // Without a validation split neighbours are sought in the training split, whose labels the loss must not have used.
  const bool unseen = !setup_.val_rows.empty() || !uses_labels();
  const bool labelled = unseen && setup_.cache->dataset().labels().defined();
  return labelled && is_due(options.knn_every, epoch, last) ? neighbours() : Figures();
}

torch::Tensor ReconstructionObjective::picture(int64_t epochs) {
  const EvalMode evaluating(*setup_.model);
  const torch::NoGradGuard no_grad;
  const std::vector<int64_t>& from = setup_.val_rows.empty() ? setup_.train_rows : setup_.val_rows;
  const auto count = std::min(from.size(), static_cast<size_t>(setup_.options.pictures));
  const std::vector<int64_t> rows(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  const Batch batch = evaluation_batch(rows);
  const torch::Tensor kept = fixed_masks(rows);
  const Reconstruction made = reconstruct(batch.x.to(setup_.device), kept.to(setup_.device));
  const torch::Tensor prediction = made.prediction.to(torch::kCPU, torch::kFloat);
  std::vector<ReconstructionView> views;
  for (int64_t i = 0; i < batch.size(); ++i) {
    const torch::Tensor numbers = kept[i].contiguous();
    const auto* first = numbers.const_data_ptr<int64_t>();
    views.push_back(
        {setup_.cache->dataset().id(rows[static_cast<size_t>(i)]), made.losses[i].item<double>(), batch.x[i],
         prediction[i],
         hidden_part(autoencoder_->token_grid(), {first, first + numbers.numel()}, batch.x[i], prediction[i])});
  }
  return setup_.draw(views, epochs);
}

Figures ReconstructionObjective::neighbours() {
  const std::vector<int64_t>& rows = setup_.val_rows.empty() ? setup_.train_rows : setup_.val_rows;
  const FeatureSource source{*setup_.model,          *setup_.cache,  *setup_.pipeline,
                             setup_.eval_batch_size, setup_.workers, setup_.device};
  const Scores scores = knn_probe(setup_.knn, source, setup_.train_rows, rows);
  const bool several = setup_.cache->dataset().labels().dim() == 2;
  return {{setup_.val_rows.empty() ? "train/knn_accuracy" : "val/knn_accuracy", accuracy(scores, several)}};
}

}  // namespace amae
