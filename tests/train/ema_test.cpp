#include "train/ema.h"

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "amae/error.h"

using namespace amae;
using Catch::Matchers::WithinAbs;

namespace {

/// One weight and one integer buffer, both set by hand.
struct OneWeight : torch::nn::Module {
  torch::Tensor weight = register_parameter("weight", torch::zeros({1}));
  torch::Tensor count = register_buffer("count", torch::tensor(int64_t{0}));
  void set(float value, int64_t n) {
    const torch::NoGradGuard no_grad;
    weight.fill_(value);
    count.fill_(n);
  }
};

torch::nn::Sequential small_net() {
  return torch::nn::Sequential(torch::nn::Conv2d(1, 2, 3), torch::nn::BatchNorm2d(2));
}

}  // namespace

TEST_CASE("the average follows the formula, warm-up included") {
  OneWeight module;
  module.set(1.0F, 0);
  Ema ema(module, 0.15);
  // decay at updates 0, 1, 2: min(0.15, 1/10), min(0.15, 2/11), min(0.15, 3/12)
  double expected = 1.0;
  int64_t n = 0;
  for (const double decay : {0.1, 0.15, 0.15}) {
    ++n;
    const auto value = static_cast<float>(5 * n);
    module.set(value, n);
    ema.update(module);
    expected = decay * expected + (1 - decay) * value;
    // float32 numbers near 10
    CHECK_THAT(ema.state().at("weight").item<double>(), WithinAbs(expected, 1e-5));
    CHECK(ema.state().at("count").item<int64_t>() == n);
    CHECK(ema.state().at("ema.updates").item<int64_t>() == n);
  }
}

TEST_CASE("batch-norm statistics are averaged as the weights are") {
  auto net = small_net();
  Ema ema(*net, 0.9);
  net->forward(torch::randn({4, 1, 5, 5}) + 3.0);
  ema.update(*net);
  const auto tensors = tensors_of(*net);
  CHECK(torch::allclose(ema.state().at("1.running_mean"), 0.9 * tensors.at("1.running_mean")));
  CHECK(ema.state().at("1.num_batches_tracked").item<int64_t>() == 1);
}

TEST_CASE("swap puts the averages into the module, and a second swap restores it bit by bit") {
  OneWeight module;
  module.set(1.0F, 0);
  Ema ema(module, 0.9);
  module.set(3.0F, 4);
  ema.update(module);  // 0.1 * 1 + 0.9 * 3
  module.set(7.0F, 8);
  const torch::Tensor alias = module.weight.detach();
  ema.swap(module);
  CHECK_THAT(module.weight.item<double>(), WithinAbs(2.8, 1e-6));
  CHECK(module.count.item<int64_t>() == 4);
  CHECK(torch::equal(alias, module.weight));  // memory is shared as before
  CHECK(module.weight.requires_grad());
  ema.swap(module);
  CHECK(module.weight.item<float>() == 7.0F);
  CHECK(module.count.item<int64_t>() == 8);
  CHECK_THAT(ema.state().at("weight").item<double>(), WithinAbs(2.8, 1e-6));
}

TEST_CASE("the averages do not share memory with the module") {
  OneWeight module;
  Ema ema(module, 0.9);
  module.set(5.0F, 1);
  CHECK(ema.state().at("weight").item<float>() == 0.0F);
}

TEST_CASE("an average that is continued from saved state is bit-identical") {
  const auto run = [](bool interrupted) {
    OneWeight module;
    Ema ema(module, 0.999);
    for (int64_t i = 0; i < 5; ++i) {
      if (interrupted && i == 2) {
        TensorDict saved;
        for (const auto& [name, tensor] : ema.state()) saved[name] = tensor.clone();
        ema = Ema(module, 0.999);
        ema.load_state(saved);
      }
      module.set(static_cast<float>(i) / 3.0F, i);
      ema.update(module);
    }
    return ema.state();
  };
  for (const auto& [name, tensor] : run(false)) CHECK(torch::equal(tensor, run(true).at(name)));
}

TEST_CASE("load_state names tensors that are missing or misshapen, and changes nothing") {
  OneWeight module;
  module.set(1.0F, 1);
  Ema ema(module, 0.9);
  try {
    ema.load_state({{"weight", torch::zeros({2})}, {"ema.updates", torch::tensor(int64_t{3})}});
    FAIL("accepted");
  } catch (const InputError& e) {
    REQUIRE(e.problems().size() == 2);
    CHECK(e.problems()[0].code == "CKPT");
    CHECK(e.problems()[0].field == "count");
    CHECK(e.problems()[1].field == "weight");
    CHECK(e.problems()[1].message == "got Float [2], expected Float [1]");
  }
  CHECK(ema.state().at("weight").item<float>() == 1.0F);
  CHECK(ema.state().at("ema.updates").item<int64_t>() == 0);
}

TEST_CASE("tensors_of lists parameters and buffers, detached and sharing memory") {
  OneWeight module;
  auto tensors = tensors_of(module);
  REQUIRE(tensors.size() == 2);
  CHECK_FALSE(tensors.at("weight").requires_grad());
  tensors.at("weight").fill_(4.0F);
  CHECK(module.weight.item<float>() == 4.0F);
}
