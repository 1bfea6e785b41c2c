#include "train/optimizer.h"

#include <torch/nn/functional/loss.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <limits>

#include "amae/error.h"

using namespace amae;
using Catch::Matchers::WithinRel;

namespace {

using Named = std::vector<std::pair<std::string, torch::Tensor>>;

/// The convolution has no bias: in front of a batch norm its gradient is rounding noise, which AdamW scales up.
torch::nn::Sequential small_net() {
  torch::manual_seed(7);
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 4, 3).bias(false)),
                               torch::nn::BatchNorm2d(4), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Linear(4 * 4 * 4, 3));
}

Named named(const torch::nn::Module& net) {
  Named list;
  for (const auto& p : net.named_parameters()) list.emplace_back(p.key(), p.value());
  return list;
}

std::vector<NamedParameter> rules(const torch::nn::Module& net) {
  return parameter_rules(named(net), 1.0, 1, [](const std::string&) { return 0; });
}

/// Fills the gradients from a batch that depends on the step alone.
void backward(torch::nn::Sequential& net, int64_t step) {
  torch::manual_seed(static_cast<uint64_t>(100 + step));
  const auto x = torch::randn({5, 2, 6, 6});
  const auto y = torch::randint(3, {5}, torch::kInt64);
  torch::nn::functional::cross_entropy(net->forward(x), y).backward();
}

/// torch's optimizer needs groups of parameters for "no decay below two dimensions".
template <class Options>
std::vector<torch::optim::OptimizerParamGroup> torch_groups(const torch::nn::Module& net, const Options& options) {
  std::vector<torch::Tensor> matrices, vectors;
  for (const auto& p : net.parameters()) (p.dim() >= 2 ? matrices : vectors).push_back(p);
  Options plain = options;
  plain.weight_decay(0.0);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(matrices, std::make_unique<Options>(options));
  groups.emplace_back(vectors, std::make_unique<Options>(plain));
  return groups;
}

/// Largest difference of any weight after 20 steps of ours and torch's optimizer at a rate that changes every step.
template <class TorchOptimizer, class TorchOptions>
double difference(OptimOptions ours, TorchOptions theirs) {
  auto a = small_net();
  auto b = small_net();
  Optimizer optimizer(ours, rules(*a));
  TorchOptimizer reference(torch_groups(*b, theirs), theirs);
  for (int64_t step = 0; step < 20; ++step) {
    const double lr = ours.lr * (1.0 - 0.03 * static_cast<double>(step));
    backward(a, step);
    optimizer.step(lr);
    optimizer.zero_grad();
    for (auto& group : reference.param_groups()) group.options().set_lr(lr);
    backward(b, step);
    reference.step();
    reference.zero_grad();
  }
  double worst = 0;
  const auto pa = a->parameters();
  const auto pb = b->parameters();
  for (size_t i = 0; i < pa.size(); ++i) worst = std::max(worst, (pa[i] - pb[i]).abs().max().item<double>());
  REQUIRE((small_net()->parameters()[0] - pa[0]).abs().max().item<double>() > 1e-3);  // it did move
  return worst;
}

/// One parameter w = [2 values] with gradient g, for tests by hand.
NamedParameter parameter(const std::string& name, std::vector<float> gradient, double lr_scale = 1.0) {
  auto w = torch::ones({1, static_cast<int64_t>(gradient.size())}).set_requires_grad(true);
  w.mutable_grad() = torch::tensor(gradient).reshape(w.sizes());
  return {name, w, lr_scale, true};
}

}  // namespace

// 1e-6: weights are near 0.1, so a few units of float32 rounding; the formulas are evaluated in another order.
TEST_CASE("adamw takes the same 20 steps as torch::optim::AdamW") {
  OptimOptions o{.name = "adamw", .lr = 0.01, .weight_decay = 0.1, .betas = {0.8, 0.95}, .eps = 1e-6};
  const auto t = torch::optim::AdamWOptions(0.01).weight_decay(0.1).betas({0.8, 0.95}).eps(1e-6);
  CHECK(difference<torch::optim::AdamW>(o, t) < 1e-6);
}

TEST_CASE("sgd takes the same 20 steps as torch::optim::SGD") {
  OptimOptions o{.name = "sgd", .lr = 0.02, .weight_decay = 0.01, .momentum = 0.9, .nesterov = true};
  const auto t = torch::optim::SGDOptions(0.02).weight_decay(0.01);
  SECTION("with Nesterov momentum") {
    CHECK(difference<torch::optim::SGD>(o, torch::optim::SGDOptions(t).momentum(0.9).nesterov(true)) < 1e-6);
  }
  SECTION("with plain momentum") {
    o.nesterov = false;
    CHECK(difference<torch::optim::SGD>(o, torch::optim::SGDOptions(t).momentum(0.9)) < 1e-6);
  }
  SECTION("without momentum") {
    o.momentum = 0;
    CHECK(difference<torch::optim::SGD>(o, t) < 1e-6);
  }
}

TEST_CASE("weight decay of adamw is decoupled from the gradient") {
  const auto p = parameter("w", {0.0F, 0.0F});
  Optimizer optimizer({.name = "adamw", .weight_decay = 0.5}, {p});
  optimizer.step(0.1);
  CHECK_THAT(p.tensor[0][0].item<double>(), WithinRel(1.0 - 0.1 * 0.5, 1e-6));
}

TEST_CASE("lr_scale multiplies the rate of its parameter alone") {
  const auto full = parameter("a", {1.0F});
  const auto half = parameter("b", {1.0F}, 0.5);
  Optimizer optimizer({.name = "sgd", .weight_decay = 0, .momentum = 0}, {full, half});
  optimizer.step(0.1);
  CHECK_THAT(full.tensor.item<double>(), WithinRel(0.9, 1e-6));
  CHECK_THAT(half.tensor.item<double>(), WithinRel(0.95, 1e-6));
}

TEST_CASE("a parameter without gradient stays as it is") {
  const auto with = parameter("a", {1.0F});
  auto without = parameter("b", {1.0F});
  without.tensor.mutable_grad() = torch::Tensor();
  Optimizer optimizer({.name = "adamw"}, {with, without});
  optimizer.step(0.1);
  CHECK(with.tensor.item<float>() != 1.0F);
  CHECK(without.tensor.item<float>() == 1.0F);
}

TEST_CASE("zero_grad frees the gradients") {
  const auto p = parameter("w", {1.0F});
  Optimizer({}, {p}).zero_grad();
  CHECK_FALSE(p.tensor.grad().defined());
}

TEST_CASE("clip scales the global norm to the limit and returns the norm before") {
  const auto a = parameter("a", {3.0F, 0.0F});
  const auto b = parameter("b", {0.0F, 4.0F});
  Optimizer optimizer({}, {a, b});
  SECTION("above the limit") {
    CHECK_THAT(optimizer.clip(1.0), WithinRel(5.0, 1e-6));
    CHECK_THAT(a.tensor.grad()[0][0].item<double>(), WithinRel(0.6, 1e-5));
    CHECK(optimizer.clip(0) <= 1.0);
  }
  SECTION("below the limit nothing changes") {
    CHECK_THAT(optimizer.clip(10.0), WithinRel(5.0, 1e-6));
    CHECK(a.tensor.grad()[0][0].item<float>() == 3.0F);
  }
  SECTION("0 only measures") {
    CHECK_THAT(optimizer.clip(0), WithinRel(5.0, 1e-6));
    CHECK(b.tensor.grad()[0][1].item<float>() == 4.0F);
  }
  SECTION("a gradient that is not finite is told, and nothing is scaled") {
    b.tensor.mutable_grad()[0][0] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(optimizer.clip(1.0)));
    b.tensor.mutable_grad()[0][0] = std::numeric_limits<float>::infinity();
    CHECK(std::isinf(optimizer.clip(1.0)));
    CHECK(a.tensor.grad()[0][0].item<float>() == 3.0F);
  }
}

TEST_CASE("rules: vectors are not decayed, encoder layers get smaller rates, frozen tensors are left out") {
  const auto matrix = [] { return torch::ones({2, 2}).set_requires_grad(true); };
  const Named parameters = {{"encoder.stem.weight", matrix()},
                            {"encoder.top.bias", torch::ones({2}).set_requires_grad(true)},
                            {"encoder.top.frozen", torch::ones({2, 2})},
                            {"head.weight", matrix()}};
  std::vector<std::string> asked;
  const auto list = parameter_rules(parameters, 0.5, 2, [&](const std::string& name) {
    asked.push_back(name);
    return name.starts_with("stem") ? 0 : 1;
  });
  REQUIRE(list.size() == 3);
  CHECK(asked == std::vector<std::string>{"stem.weight", "top.bias"});
  CHECK(list[0].lr_scale == 0.25);
  CHECK(list[0].decay);
  CHECK(list[1].lr_scale == 0.5);
  CHECK_FALSE(list[1].decay);
  CHECK(list[2].name == "head.weight");
  CHECK(list[2].lr_scale == 1.0);
}

TEST_CASE("training that is continued from saved state is bit-identical") {
  const std::string name = GENERATE(std::string("adamw"), std::string("sgd"));
  CAPTURE(name);
  const OptimOptions options{.name = name};
  const auto run = [&](bool interrupted) {
    auto net = small_net();
    auto optimizer = std::make_unique<Optimizer>(options, rules(*net));
    for (int64_t step = 0; step < 6; ++step) {
      if (interrupted && step == 3) {
        TensorDict saved;
        for (const auto& [key, tensor] : optimizer->state()) saved[key] = tensor.clone();
        optimizer = std::make_unique<Optimizer>(options, rules(*net));
        optimizer->load_state(saved);
      }
      backward(net, step);
      optimizer->step(0.01);
      optimizer->zero_grad();
    }
    return net;
  };
  const auto a = run(false)->parameters();
  const auto b = run(true)->parameters();
  for (size_t i = 0; i < a.size(); ++i) CHECK(torch::equal(a[i], b[i]));
}

TEST_CASE("state is named after the parameters") {
  const auto keys = [](const std::string& name) {
    std::vector<std::string> list;
    for (const auto& [key, tensor] : Optimizer({.name = name}, {parameter("w", {1.0F})}).state()) list.push_back(key);
    return list;
  };
  CHECK(keys("adamw") == std::vector<std::string>{"step", "w.exp_avg", "w.exp_avg_sq"});
  CHECK(keys("sgd") == std::vector<std::string>{"step", "w.momentum"});
}

TEST_CASE("load_state names every tensor that is missing, extra or misshapen, and changes nothing") {
  const auto p = parameter("w", {1.0F, 2.0F});
  Optimizer optimizer({.name = "adamw"}, {p});
  optimizer.step(0.1);
  TensorDict bad{{"step", torch::tensor(int64_t{9})}, {"w.exp_avg", torch::zeros({3})}, {"v.exp_avg", torch::zeros(1)}};
  try {
    optimizer.load_state(bad);
    FAIL("accepted");
  } catch (const InputError& e) {
    std::vector<std::string> fields;
    for (const auto& problem : e.problems()) {
      CHECK(problem.code == "CKPT");
      fields.push_back(problem.field);
    }
    CHECK(fields == std::vector<std::string>{"w.exp_avg", "w.exp_avg_sq", "v.exp_avg"});
    CHECK(e.problems()[0].message == "got Float [3], expected Float [1, 2]");
  }
  CHECK(optimizer.state().at("step").item<int64_t>() == 1);
}

TEST_CASE("betas of a wrong length are refused") {
  OptimOptions options{.betas = {0.9}};
  CHECK_THROWS_AS(options.check(), InputError);
  options.betas = {0.9, 0.99};
  CHECK_NOTHROW(options.check());
}
