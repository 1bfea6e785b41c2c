#include "train/linear_probe.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

using namespace amae;

namespace {

struct Problem3 {  // three classes that overlap, four features of different scales
  Problem3() {
    torch::manual_seed(8);
    const torch::Tensor labels = torch::arange(60).remainder(3);
    targets = torch::zeros({60, 3}).scatter_(1, labels.unsqueeze(1), 1.0);
    const torch::Tensor centres = torch::randn({3, 4});
    gallery = (centres.index_select(0, labels) + torch::randn({60, 4})) * torch::tensor({1.F, 5.F, 0.2F, 1.F}) + 3;
    mean = gallery.to(torch::kDouble).mean(0);
    deviation = gallery.to(torch::kDouble).var(0, /*unbiased=*/false).sqrt();
  }
  /// Raw features whose standardised values are z.
  [[nodiscard]] torch::Tensor raw(const torch::Tensor& z) const { return z * deviation + mean; }

  torch::Tensor gallery, targets, mean, deviation;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The root of a rising function between 0 and 100.
template <class F>
double root_of(const F& f) {
  double low = 0, high = 100;
  for (int i = 0; i < 200; ++i) (f((low + high) / 2) < 0 ? low : high) = (low + high) / 2;
  return low;
}

}  // namespace

TEST_CASE("two classes at -1 and 1 have the solution that one solves by hand") {
  // W = (-a, a), b = 0: the loss log(1 + exp(-2a)) + l2 a^2 has its minimum where l2 a = sigmoid(-2a).
  const double l2 = GENERATE(1e-2, 0.3);
  const double a = root_of([&](double x) { return l2 * x - sigmoid(-2 * x); });
  const torch::Tensor gallery = torch::tensor({-1.F, 1.F, 1.F, -1.F}).unsqueeze(1);
  const torch::Tensor second = (gallery > 0).to(torch::kFloat), targets = torch::cat({1 - second, second}, 1);
  const torch::Tensor queries = torch::tensor({-1.F, 0.F, 0.5F}).unsqueeze(1);
  const torch::Tensor p = linear_probe_scores({.l2 = l2}, gallery, targets, false, queries).select(1, 1);
  CHECK(std::abs(p[0].item<double>() - sigmoid(-2 * a)) < 1e-6);  // float32 scores
  CHECK(std::abs(p[1].item<double>() - 0.5) < 1e-6);
  CHECK(std::abs(p[2].item<double>() - sigmoid(a)) < 1e-6);
}

TEST_CASE("the gradient is zero at the solution") {
  const Problem3 problem;
  const double l2 = 0.02;
  const auto scores = [&](const torch::Tensor& z) {
    return linear_probe_scores({.l2 = l2}, problem.gallery, problem.targets, false, problem.raw(z)).to(torch::kDouble);
  };
  // From zero the rows of W add up to nothing, so logits are the logarithms of the scores without their mean.
  const auto logits = [&](const torch::Tensor& z) {
    const torch::Tensor log_p = scores(z).log();
    return log_p - log_p.mean(1, true);
  };
  const torch::Tensor bias = logits(torch::zeros({1, 4}, torch::kDouble));
  const torch::Tensor weight = (logits(torch::eye(4, torch::kDouble)) - bias).t();
  const torch::Tensor x = (problem.gallery.to(torch::kDouble) - problem.mean) / problem.deviation;
  const torch::Tensor error = torch::softmax(torch::linear(x, weight, bias[0]), 1) - problem.targets;
  const torch::Tensor gradient = error.t().matmul(x) / 60 + l2 * weight;
  // Scores are float32, so weights taken from their logarithms are known to some 1e-7.
  CHECK(gradient.abs().max().item<double>() < 1e-6);
  CHECK(error.mean(0).abs().max().item<double>() < 1e-6);
  CHECK(weight.abs().max().item<double>() > 0.1);
}

TEST_CASE("neither scale nor offset of a feature nor the order of the gallery changes a score") {
  const Problem3 problem;
  const torch::Tensor queries = problem.raw(torch::randn({20, 4}, torch::kDouble)).to(torch::kFloat);
  const torch::Tensor expected = linear_probe_scores({}, problem.gallery, problem.targets, false, queries);
  const torch::Tensor scale = torch::tensor({8.F, 0.5F, 4.F, 0.25F}), offset = torch::tensor({1.F, -2.F, 0.F, 9.F});
  const auto moved = [&](const torch::Tensor& x) { return x * scale + offset; };
  CHECK(torch::allclose(linear_probe_scores({}, moved(problem.gallery), problem.targets, false, moved(queries)),
                        expected, 0, 1e-5));
  const torch::Tensor order = torch::randperm(60);
  CHECK(torch::allclose(linear_probe_scores({}, problem.gallery.index_select(0, order),
                                            problem.targets.index_select(0, order), false, queries),
                        expected, 0, 1e-6));
  CHECK(torch::allclose(expected.sum(1), torch::ones(20)));
}

TEST_CASE("several labels are one problem each") {
  const Problem3 problem;
  torch::Tensor targets = problem.targets.clone();
  targets.select(1, 1).copy_((torch::arange(60) % 5 < 2).to(torch::kFloat));  // rows with none, one and two labels
  const torch::Tensor queries = problem.gallery.slice(0, 0, 10);
  const torch::Tensor all = linear_probe_scores({}, problem.gallery, targets, true, queries);
  for (int64_t k = 0; k < 3; ++k) {
    const torch::Tensor alone = linear_probe_scores({}, problem.gallery, targets.narrow(1, k, 1), true, queries);
    CHECK(torch::allclose(all.narrow(1, k, 1), alone, 0, 1e-5));
  }
  CHECK_FALSE(torch::allclose(all.sum(1), torch::ones(10), 0, 0.01));
  // One feature at -1 and 1: w, where l2 w = sigmoid(-w).
  const double w = root_of([](double x) { return 0.01 * x - sigmoid(-x); });
  const torch::Tensor x = torch::tensor({-1.F, 1.F}).unsqueeze(1), y = torch::tensor({0.F, 1.F}).unsqueeze(1);
  CHECK(std::abs(linear_probe_scores({}, x, y, true, x)[1].item<double>() - sigmoid(w)) < 1e-6);
}

TEST_CASE("a stronger penalty gives less certain scores, and few iterations other ones") {
  const Problem3 problem;
  const auto sureness = [&](const LinearProbeOptions& options) {
    return linear_probe_scores(options, problem.gallery, problem.targets, false, problem.gallery)
        .amax(1)
        .mean()
        .item<double>();
  };
  CHECK(sureness({.l2 = 1e-3}) > sureness({.l2 = 1e-1}));
  CHECK(sureness({.l2 = 1e-1}) > sureness({.l2 = 10}));
  CHECK(std::abs(sureness({.iterations = 1}) - sureness({})) > 1e-3);
}

TEST_CASE("the same answer twice, and where gradients are switched off") {
  const Problem3 problem;
  const torch::Tensor expected = linear_probe_scores({}, problem.gallery, problem.targets, false, problem.gallery);
  const torch::NoGradGuard no_grad;
  CHECK(torch::equal(linear_probe_scores({}, problem.gallery, problem.targets, false, problem.gallery), expected));
  CHECK_FALSE(expected.requires_grad());
}

TEST_CASE("more features than items, and constant ones, are no trouble") {
  torch::manual_seed(5);
  torch::Tensor gallery = torch::randn({12, 50});
  gallery.select(1, 7).fill_(4);
  const torch::Tensor targets = torch::eye(3).repeat({4, 1});
  const torch::Tensor scores = linear_probe_scores({}, gallery, targets, false, gallery);
  CHECK(torch::isfinite(scores).all().item<bool>());
  CHECK(torch::equal(scores.argmax(1), targets.argmax(1)));
  CHECK(linear_probe_scores({}, gallery, targets, false, torch::empty({0, 50})).sizes() == torch::IntArrayRef({0, 3}));
}
