#include "train/classification.h"

#include <torch/nn/functional/loss.h>

#include "training.h"

using namespace amae;

namespace {

/// The objective over an untrained network, and its first eight points.
struct Points8 : Training {
  explicit Points8(const std::string& loss_name) {
    loss.name = loss_name;
    trainer();
    batch = setup.cache->rows({0, 1, 2, 3, 4, 5, 6, 7});
    batch.y = targets_of(*points, batch.ids);
    model->eval();
  }
  Batch batch;
};

}  // namespace

TEST_CASE("the loss of a batch is the sum over its items, accuracy how many are right") {
  Points8 points("cross_entropy");
  const BatchResult result = points.setup.objective->forward(points.batch, {});
  const torch::Tensor logits = points.model->forward(points.batch.x);
  const torch::Tensor labels = torch::arange(8).remainder(3);
  const torch::Tensor by_hand = torch::nn::functional::cross_entropy(
      logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
  CHECK(torch::allclose(result.loss, by_hand, 1e-5, 0));  // float32, summed in another order
  REQUIRE(result.sums.size() == 1);
  CHECK(result.sums[0].first == "accuracy");
  CHECK(result.sums[0].second == (logits.argmax(1) == labels).sum().item<double>());
  CHECK(result.loss.requires_grad());
}

TEST_CASE("with several labels an item is right when all its labels are") {
  Points8 points("binary");
  torch::NoGradGuard no_grad;
  const torch::Tensor logits = points.model->forward(points.batch.x);
  points.batch.y = (logits >= 0).to(torch::kFloat);
  points.batch.y[3][1] = 1 - points.batch.y[3][1];
  CHECK(points.setup.objective->forward(points.batch, {}).sums[0].second == 7);
}

TEST_CASE("validation gives loss and accuracy of the plain view, and the model trains on afterwards") {
  Training training;
  training.trainer();
  training.model->train();
  const Figures figures = training.setup.objective->validate();
  CHECK(training.model->is_training());
  const Scores scores = evaluate(*training.model, *training.setup.cache, *training.setup.pipeline, training.val_rows, 5,
                                 1, 1, false, torch::kCPU);
  // 1e-5: the batches are cut otherwise.
  REQUIRE(figures.size() == 2);
  CHECK(figures[0].first == "loss");
  CHECK(std::abs(figures[0].second - mean_log_loss(scores, false)) < 1e-5);
  CHECK(figures[1].first == "accuracy");
  CHECK(figures[1].second == accuracy(scores, false));
}
