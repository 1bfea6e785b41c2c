#include "train/evaluate.h"

#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "training.h"

using namespace amae;
using Catch::Matchers::WithinAbs;

namespace {

Scores scores_of(const std::vector<std::vector<float>>& p, const std::vector<std::vector<float>>& y) {
  Scores scores;
  const auto tensor = [](const std::vector<std::vector<float>>& rows) {
    std::vector<torch::Tensor> list;
    for (const auto& row : rows) list.push_back(torch::tensor(row));
    return torch::stack(list);
  };
  scores.probabilities = tensor(p);
  scores.targets = tensor(y);
  return scores;
}

Scores evaluate(Training& training, int64_t batch_size, int64_t views, int workers, bool multi_label = false) {
  if (!training.setup.cache) training.trainer();
  return amae::evaluate(*training.model, *training.setup.cache, *training.setup.pipeline, training.val_rows, batch_size,
                        views, workers, multi_label, torch::kCPU);
}

}  // namespace

TEST_CASE("scores are probabilities of the rows asked for, with their targets") {
  Training training;
  const Scores scores = evaluate(training, 5, 1, 1);
  CHECK(scores.rows == training.val_rows);
  CHECK(scores.probabilities.sizes() == torch::IntArrayRef({12, 3}));
  CHECK(torch::allclose(scores.probabilities.sum(1), torch::ones(12)));
  CHECK(torch::equal(scores.targets.argmax(1), torch::arange(43, 55).remainder(3)));
}

TEST_CASE("several labels a row are scored each on its own") {
  Training training;
  const Scores one = evaluate(training, 5, 1, 1), several = evaluate(training, 5, 1, 1, true);
  // softmax and sigmoid of the same logits: odds p / (1 - p) of the sigmoid are proportional to the softmax.
  const torch::Tensor odds = several.probabilities / (1 - several.probabilities);
  CHECK(torch::allclose(odds / odds.sum(1, true), one.probabilities, 1e-4, 1e-6));
  CHECK_FALSE(torch::allclose(several.probabilities.sum(1), torch::ones(12), 1e-3));
}

TEST_CASE("neither worker count nor training mode changes a score, and the mode is given back") {
  Training training;
  training.model->train();
  const Scores one = evaluate(training, 4, 1, 1);
  CHECK(training.model->is_training());
  training.model->eval();
  const Scores two = evaluate(training, 4, 1, 2);
  CHECK_FALSE(training.model->is_training());
  CHECK(torch::equal(one.probabilities, two.probabilities));
}

// 1e-6: the matrix product of another batch size may sum in another order.
TEST_CASE("a score does not depend on the rest of its batch") {
  Training training;
  const Scores all = evaluate(training, 64, 1, 1), each = evaluate(training, 1, 1, 1);
  CHECK(torch::allclose(all.probabilities, each.probabilities, 0, 1e-6));
}

TEST_CASE("views are passes of the random transforms whose scores are averaged") {
  Training training({"{name: roll}"});
  const Scores one = evaluate(training, 64, 1, 1), four = evaluate(training, 64, 4, 1);
  const Batch front = training.setup.cache->rows(training.val_rows);
  torch::Tensor sum = torch::zeros({12, 3});
  const torch::NoGradGuard no_grad;
  training.model->eval();
  for (int64_t view = 0; view < 4; ++view) {
    Batch batch = front;
    training.setup.pipeline->run_eval(batch, view, 4);
    sum += torch::softmax(training.model->forward(batch.x), 1);
  }
  CHECK(torch::allclose(four.probabilities, sum / 4));
  CHECK_FALSE(torch::allclose(four.probabilities, one.probabilities, 1e-3, 1e-3));
}

TEST_CASE("no rows, no scores") {
  Training training;
  training.val_rows.clear();
  CHECK_FALSE(evaluate(training, 4, 1, 1).probabilities.defined());
}

TEST_CASE("log loss and accuracy of one label a row") {
  const Scores scores = scores_of({{0.5F, 0.25F, 0.25F}, {0.125F, 0.75F, 0.125F}}, {{1, 0, 0}, {0, 0, 1}});
  CHECK_THAT(mean_log_loss(scores, false), WithinAbs((std::log(2.0) + std::log(8.0)) / 2, 1e-7));
  CHECK(accuracy(scores, false) == 0.5);
}

TEST_CASE("log loss and accuracy of several labels a row") {
  // The first row is all right at 0.5, the second has one of two wrong.
  const Scores scores = scores_of({{0.75F, 0.25F}, {0.75F, 0.75F}}, {{1, 0}, {1, 0}});
  const double expected = (2 * -std::log(0.75) + -std::log(0.75) - std::log(0.25)) / 4;
  CHECK_THAT(mean_log_loss(scores, true), WithinAbs(expected, 1e-7));
  CHECK(accuracy(scores, true) == 0.5);
}

TEST_CASE("a certain mistake costs a finite loss") {
  CHECK(std::isfinite(mean_log_loss(scores_of({{1, 0}}, {{0, 1}}), false)));
  CHECK(std::isfinite(mean_log_loss(scores_of({{1, 0}}, {{0, 1}}), true)));
}
