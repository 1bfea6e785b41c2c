#include "train/loss.h"

#include <torch/nn/functional/loss.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

using namespace amae;
namespace F = torch::nn::functional;

namespace {

// float32 losses near 2 from sums of ten terms
bool close(const torch::Tensor& a, const torch::Tensor& b) { return torch::allclose(a, b, 1e-5, 1e-6); }

struct Example {
  Example() {
    torch::manual_seed(3);
    logits = 3 * torch::randn({6, 10});
    labels = torch::randint(10, {6}, torch::kInt64);
    one_hot = torch::one_hot(labels, 10).to(torch::kFloat);
    soft = torch::softmax(torch::randn({6, 10}), 1);
  }
  torch::Tensor logits, labels, one_hot, soft;
};

}  // namespace

TEST_CASE_METHOD(Example, "cross_entropy agrees with torch") {
  const auto options = [](double smoothing) {
    return F::CrossEntropyFuncOptions().reduction(torch::kNone).label_smoothing(smoothing);
  };
  CHECK(close(item_losses({}, logits, one_hot), F::cross_entropy(logits, labels, options(0))));
  CHECK(close(item_losses({}, logits, soft), F::cross_entropy(logits, soft, options(0))));
  const LossOptions smooth{.label_smoothing = 0.1};
  CHECK(close(item_losses(smooth, logits, one_hot), F::cross_entropy(logits, labels, options(0.1))));
  CHECK(close(item_losses(smooth, logits, soft), F::cross_entropy(logits, soft, options(0.1))));
  CHECK_FALSE(close(item_losses(smooth, logits, one_hot), item_losses({}, logits, one_hot)));
}

TEST_CASE_METHOD(Example, "binary agrees with torch and ignores label smoothing") {
  const auto target = (soft > 0.1).to(torch::kFloat);
  const auto expected = F::binary_cross_entropy_with_logits(
                            logits, target, F::BinaryCrossEntropyWithLogitsFuncOptions().reduction(torch::kNone))
                            .mean(1);
  CHECK(close(item_losses({.name = "binary"}, logits, target), expected));
  CHECK(close(item_losses({.name = "binary", .label_smoothing = 0.3}, logits, target), expected));
}

TEST_CASE("losses are exact and have finite gradients for logits of 1e4") {
  for (const char* name : {"cross_entropy", "binary"}) {
    CAPTURE(name);
    auto logits = torch::tensor({{1e4F, -1e4F}, {1e4F, -1e4F}}).set_requires_grad(true);
    const auto target = torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}});
    const auto losses = item_losses({.name = name}, logits, target);
    CHECK(losses[0].item<float>() == 0.0F);
    // a wrong class: the gap of the logits, 2e4; or 1e4 for each of two wrong sigmoids, on average
    CHECK(losses[1].item<float>() == (std::string(name) == "binary" ? 1e4F : 2e4F));
    losses.sum().backward();
    CHECK(torch::isfinite(logits.grad()).all().item<bool>());
  }
}

TEST_CASE_METHOD(Example, "the gradient of cross_entropy is softmax minus target") {
  logits.set_requires_grad(true);
  item_losses({}, logits, soft).sum().backward();
  CHECK(close(logits.grad(), torch::softmax(logits.detach(), 1) - soft));
}

TEST_CASE("logits and targets of different shapes are refused") {
  CHECK_THROWS_AS(item_losses({}, torch::zeros({2, 3}), torch::zeros({2, 4})), c10::Error);
}

TEST_CASE("the loss options describe themselves") {
  LossOptions options;
  Fields fields;
  options.describe(fields);
  REQUIRE(fields.all().size() == 2);
  CHECK(fields.all()[0].allowed == std::vector<std::string>{"cross_entropy", "binary"});
  CHECK(fields.all()[1].maximum == 1.0);
}
