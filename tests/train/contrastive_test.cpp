#include "train/contrastive.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

using namespace amae;

namespace {

using FeatureLoss = std::function<torch::Tensor(const torch::Tensor&)>;

/// Largest difference between the gradient and central differences, in double.
double gradient_error(const FeatureLoss& loss, const torch::Tensor& at) {
  torch::Tensor x = at.to(torch::kDouble).clone().requires_grad_(true);
  loss(x).backward();
  const torch::Tensor gradient = x.grad().flatten();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  double largest = 0;
  torch::Tensor moved = at.to(torch::kDouble).clone();
  torch::Tensor flat = moved.view(-1);
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const double before = flat[i].item<double>();
    flat[i] = before + kStep;
    const double up = loss(moved).item<double>();
    flat[i] = before - kStep;
    const double down = loss(moved).item<double>();
    flat[i] = before;
    largest = std::max(largest, std::abs((up - down) / (2 * kStep) - gradient[i].item<double>()));
  }
  return largest;
}

torch::Tensor class_weights(const std::vector<int64_t>& labels, int64_t K = 3) {
  return torch::one_hot(torch::tensor(labels), K).to(torch::kFloat);
}

bool is_near(const torch::Tensor& loss, double expected) { return std::abs(loss.item<double>() - expected) < 1e-6; }

}  // namespace

// Squared distances 2, 2 and 4: the mean over the pairs of exp(-2 d) is (2 exp(-4) + exp(-8)) / 3.
TEST_CASE("the uniformity loss of three points is what one calculates by hand, whatever their lengths") {
  const double expected = std::log((2 * std::exp(-4.0) + std::exp(-8.0)) / 3);
  const torch::Tensor points = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {-1.0, 0.0}});
  CHECK(is_near(uniformity_loss(points), expected));
  CHECK(is_near(uniformity_loss(points * torch::tensor({{3.0}, {0.1}, {20.0}})), expected));
}

TEST_CASE("features that are all the same have the highest uniformity loss, 0") {
  CHECK(is_near(uniformity_loss(torch::ones({7, 4})), 0));
  torch::manual_seed(1);
  CHECK(uniformity_loss(torch::randn({7, 4})).item<double>() < -0.5);
}

// Cosines 0.6 (1, 2), 0 (1, 3), 0.8 (2, 3); at temperature 0.5: 1.2, 0, 1.6. Item 3 has no positive.
TEST_CASE("the contrastive loss of three points is what one calculates by hand") {
  const torch::Tensor points = torch::tensor({{1.0, 0.0}, {0.6, 0.8}, {0.0, 2.0}});
  const double first = std::log(1 + std::exp(-1.2)), second = std::log(1 + std::exp(0.4));
  CHECK(is_near(contrastive_loss(points, class_weights({0, 0, 1}), 0.5), (first + second) / 2));

  // All of one class: two positives each, the mean of whose logarithms counts (L_out).
  const double all_1 = std::log(std::exp(1.2) + 1) - 0.6, all_2 = std::log(std::exp(1.2) + std::exp(1.6)) - 1.4,
               all_3 = std::log(1 + std::exp(1.6)) - 0.8;
  CHECK(is_near(contrastive_loss(points, class_weights({2, 2, 2}), 0.5), (all_1 + all_2 + all_3) / 3));
}

TEST_CASE("the gradients of both losses agree with finite differences") {
  torch::manual_seed(2);
  const torch::Tensor features = torch::randn({6, 5});
  const torch::Tensor targets = class_weights({0, 1, 0, 2, 1, 0});
  // 1e-8: central differences of step 1e-5 in double err by about 1e-10.
  CHECK(gradient_error(uniformity_loss, features) < 1e-8);
  CHECK(gradient_error([&](const torch::Tensor& x) { return contrastive_loss(x, targets, 0.3); }, features) < 1e-8);
}

TEST_CASE("the lowest temperature leaves loss and gradient finite in float32") {
  torch::manual_seed(3);
  torch::Tensor features = torch::randn({8, 4}).requires_grad_(true);
  const torch::Tensor loss = contrastive_loss(features, class_weights({0, 1, 2, 0, 1, 2, 0, 1}), 1e-3);
  loss.backward();
  CHECK(std::isfinite(loss.item<double>()));
  CHECK(torch::isfinite(features.grad()).all().item<bool>());
}

TEST_CASE("where there is nothing to compare, loss and gradient are 0") {
  for (const bool contrastive : {false, true}) {
    INFO("contrastive " << contrastive);
    torch::Tensor one = torch::randn({1, 4}).requires_grad_(true);
    const torch::Tensor loss = contrastive ? contrastive_loss(one, class_weights({0}), 0.1) : uniformity_loss(one);
    loss.backward();
    CHECK(loss.item<double>() == 0);
    CHECK(one.grad().abs().max().item<double>() == 0);
  }
  torch::Tensor strangers = torch::randn({3, 4}).requires_grad_(true);
  const torch::Tensor loss = contrastive_loss(strangers, class_weights({0, 1, 2}), 0.1);
  loss.backward();
  CHECK(loss.item<double>() == 0);
  CHECK(strangers.grad().abs().max().item<double>() == 0);
}

TEST_CASE("of mixed items only equal mixtures are positives of each other") {
  torch::manual_seed(4);
  const torch::Tensor features = torch::randn({4, 5});
  torch::Tensor mixed = class_weights({0, 0, 1, 1});
  mixed[1] = torch::tensor({0.7F, 0.3F, 0.0F});
  mixed[3] = torch::tensor({0.7F, 0.3F, 0.0F});
  const torch::Tensor as_classes = class_weights({0, 2, 1, 2});  // 1 and 3 alike, 0 and 2 alone
  CHECK(is_near(contrastive_loss(features, mixed, 0.2), contrastive_loss(features, as_classes, 0.2).item<double>()));
}
