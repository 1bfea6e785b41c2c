#include "plugins/models/resnet/resnet.h"

#include <torch/nn/functional/loss.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <set>

#include "amae/error.h"
#include "tests/problems.h"

using namespace amae;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;

namespace {

Spec spectrogram(int64_t channels) { return {Domain::spectrogram, {channels, 64, -1}, 62.5}; }

ResNetOptions small() { return {.depths = {1, 2}, .width = 8, .stem_kernel = 3}; }

std::shared_ptr<ResNet> make(const ResNetOptions& options, int64_t channels = 1, uint64_t seed = 1) {
  torch::manual_seed(seed);
  return std::make_shared<ResNet>(options, spectrogram(channels));
}

int64_t parameter_count(const torch::nn::Module& net) {
  int64_t n = 0;
  for (const auto& p : net.parameters()) n += p.numel();
  return n;
}

/// Gives the running statistics some content, as training does.
void warm_up(ResNet& net, int64_t channels = 1) {
  net.train();
  for (int i = 0; i < 5; ++i) net.forward(torch::randn({4, channels, 24, 30}));
  net.eval();
}

}  // namespace

TEST_CASE("any number of channels, bins and frames gives [B, D]") {
  struct Case {
    int64_t channels, f, t;
  };
  const Case c = GENERATE(Case{1, 64, 188}, Case{2, 40, 17}, Case{3, 7, 101}, Case{1, 1, 1});
  CAPTURE(c.channels, c.f, c.t);
  auto net = make(small(), c.channels);
  CHECK(net->width() == 16);
  CHECK(net->forward(torch::randn({3, c.channels, c.f, c.t})).sizes() == torch::IntArrayRef({3, 16}));
}

TEST_CASE("every option keeps the shape, gives finite features and a gradient to every parameter") {
  ResNetOptions o = small();
  int64_t width = 16;
  SECTION("defaults") {}
  SECTION("without zero_init_residual") { o.zero_init_residual = false; }
  SECTION("squeeze_excitation") { o.squeeze_excitation = true; }
  SECTION("bottleneck with squeeze_excitation") {
    o.block = "bottleneck";
    o.squeeze_excitation = true;
    width = 64;
  }
  SECTION("mean_max doubles the width") {
    o.pooling = "mean_max";
    width = 32;
  }
  SECTION("stem_pool") { o.stem_pool = true; }
  SECTION("widths override width") {
    o.widths = {6, 10};
    width = 10;
  }
  auto net = make(o);
  CHECK(net->width() == width);
  const auto y = net->forward(torch::randn({4, 1, 33, 40}));
  CHECK(y.sizes() == torch::IntArrayRef({4, width}));
  CHECK(torch::isfinite(y).all().item<bool>());
  (y * torch::randn_like(y)).sum().backward();
  for (const auto& p : net->named_parameters()) {
    INFO(p.key());
    REQUIRE(p.value().grad().defined());
    CHECK(torch::isfinite(p.value().grad()).all().item<bool>());
    // Behind a batch norm of weight 0 nothing arrives in the first step; elsewhere it must.
    if (!o.zero_init_residual) CHECK(p.value().grad().abs().max().item<float>() > 0);
  }
}

TEST_CASE("the 34-layer network for one channel and 50 classes has 21,304,050 parameters") {
  const ResNetOptions o{.depths = {3, 4, 6, 3}, .width = 64, .stem_kernel = 7, .stem_stride = 2, .stem_pool = true};
  const auto net = make(o);
  CHECK(net->width() == 512);
  CHECK(parameter_count(*net) + 512 * 50 + 50 == 21'304'050);
}

TEST_CASE("the 50-layer network for three channels and 1000 classes has torchvision's 25,557,032 parameters") {
  const ResNetOptions o{.depths = {3, 4, 6, 3}, .stem_kernel = 7, .stem_pool = true, .block = "bottleneck"};
  CHECK(parameter_count(*make(o, 3)) + 2048 * 1000 + 1000 == 25'557'032);
}

TEST_CASE("parameters and buffers are named as in torchvision") {
  ResNetOptions o = small();
  o.depths = {1, 1};
  o.squeeze_excitation = true;
  std::vector<std::string> names;
  for (const auto& p : make(o)->named_parameters()) names.push_back(p.key());
  CHECK(names == std::vector<std::string>{
                     "conv1.weight",
                     "bn1.weight",
                     "bn1.bias",
                     "layer1.0.conv1.weight",
                     "layer1.0.bn1.weight",
                     "layer1.0.bn1.bias",
                     "layer1.0.conv2.weight",
                     "layer1.0.bn2.weight",
                     "layer1.0.bn2.bias",
                     "layer1.0.se.fc1.weight",
                     "layer1.0.se.fc1.bias",
                     "layer1.0.se.fc2.weight",
                     "layer1.0.se.fc2.bias",
                     "layer2.0.conv1.weight",
                     "layer2.0.bn1.weight",
                     "layer2.0.bn1.bias",
                     "layer2.0.conv2.weight",
                     "layer2.0.bn2.weight",
                     "layer2.0.bn2.bias",
                     "layer2.0.se.fc1.weight",
                     "layer2.0.se.fc1.bias",
                     "layer2.0.se.fc2.weight",
                     "layer2.0.se.fc2.bias",
                     "layer2.0.downsample.0.weight",
                     "layer2.0.downsample.1.weight",
                     "layer2.0.downsample.1.bias",
                 });
  CHECK(make(o)->named_buffers().contains("layer2.0.downsample.1.running_mean"));
}

TEST_CASE("layer groups count from the stem") {
  auto net = make({.depths = {1, 1, 1, 1}, .width = 4});
  CHECK(net->depth() == 5);
  CHECK(net->layer_of("conv1.weight") == 0);
  CHECK(net->layer_of("bn1.bias") == 0);
  CHECK(net->layer_of("layer1.0.bn1.bias") == 1);
  CHECK(net->layer_of("layer4.0.downsample.0.weight") == 4);
  std::set<int64_t> groups;
  for (const auto& p : net->named_parameters()) groups.insert(net->layer_of(p.key()));
  CHECK(groups == std::set<int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("in eval mode the features of an item do not depend on its batch") {
  ResNetOptions o = small();
  o.squeeze_excitation = true;
  o.pooling = "mean_max";
  o.zero_init_residual = false;
  auto net = make(o);
  warm_up(*net);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({5, 1, 40, 61});
  const auto together = net->forward(x);
  for (int64_t i = 0; i < 5; ++i) {
    // 1e-5: float32 sums of a few hundred terms near 1, in another order for another batch size
    CHECK(torch::allclose(net->forward(x.slice(0, i, i + 1)), together.slice(0, i, i + 1), 1e-5, 1e-5));
  }
  CHECK_FALSE(torch::allclose(together[0], together[1], 1e-2, 1e-2));
}

TEST_CASE("a spectrogram's length may differ between calls") {
  auto net = make(small());
  warm_up(*net);
  CHECK(net->forward(torch::randn({1, 1, 64, 100})).sizes() == net->forward(torch::randn({1, 1, 64, 313})).sizes());
}

TEST_CASE("mean_max holds the means over T, then the maxima, of the means over F") {
  ResNetOptions o = small();
  auto mean = make(o);
  o.pooling = "mean_max";
  auto both = make(o);
  mean->eval();
  both->eval();
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({2, 1, 20, 30});
  const auto y = both->forward(x);
  CHECK(torch::allclose(y.slice(1, 0, 16), mean->forward(x), 1e-5, 1e-6));
  const auto map = both->feature_maps(x).back().second;
  CHECK(torch::allclose(y.slice(1, 16, 32), map.mean(2).amax(2), 1e-5, 1e-6));
}

TEST_CASE("squeeze_excitation gates channels: closed gates leave the shortcut alone") {
  ResNetOptions o = small();
  o.depths = {1};
  o.squeeze_excitation = true;
  o.zero_init_residual = false;
  auto net = make(o);
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({2, 1, 20, 30});
  auto maps = net->feature_maps(x);
  CHECK_FALSE(torch::allclose(maps[0].second, maps[1].second));
  net->named_parameters()["layer1.0.se.fc2.bias"].fill_(-100.0);  // sigmoid: 4e-44
  maps = net->feature_maps(x);
  CHECK(torch::allclose(maps[0].second, maps[1].second));
}

TEST_CASE("with zero_init_residual a block starts as the identity") {
  auto net = make({.depths = {3}, .width = 8});
  const auto maps = net->feature_maps(torch::randn({2, 1, 20, 30}));
  CHECK(torch::equal(maps[0].second, maps[1].second));
}

TEST_CASE("convolutions start normal with variance 2 / fan_out, norms at 1 and 0, biases at 0") {
  ResNetOptions o{.depths = {2, 1}, .width = 32, .squeeze_excitation = true, .zero_init_residual = false};
  int checked = 0;
  for (const auto& p : make(o, 4)->named_parameters()) {
    INFO(p.key());
    const auto& w = p.value();
    if (w.dim() == 4) {
      // The deviation of n normal numbers is known to 1 / sqrt(2 n): 3 % at 512, so 10 % is three of its own
      // deviations.
      if (w.numel() < 512) continue;
      const double expected = std::sqrt(2.0 / static_cast<double>(w.size(0) * w.size(2) * w.size(3)));
      CHECK_THAT(w.std().item<double>(), WithinRel(expected, 0.1));
      ++checked;
    } else {
      const bool scale = p.key().find("weight") != std::string::npos;
      CHECK(torch::equal(w, scale ? torch::ones_like(w) : torch::zeros_like(w)));
    }
  }
  CHECK(checked >= 7);
}

TEST_CASE("the seed decides the weights") {
  const auto a = make(small(), 1, 5)->parameters();
  const auto b = make(small(), 1, 5)->parameters();
  const auto c = make(small(), 1, 6)->parameters();
  for (size_t i = 0; i < a.size(); ++i) CHECK(torch::equal(a[i], b[i]));
  CHECK_FALSE(torch::equal(a[0], c[0]));
}

TEST_CASE("the memory format changes neither names nor values nor features") {
  auto a = make(small());
  auto b = make(small());
  b->use_memory_format(torch::MemoryFormat::Contiguous);
  const auto pa = a->named_parameters();
  const auto pb = b->named_parameters();
  CHECK(pa.keys() == pb.keys());
  for (const auto& p : pa) CHECK(torch::equal(p.value(), pb[p.key()]));
  CHECK(pa["layer1.0.conv1.weight"].is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(pb["layer1.0.conv1.weight"].is_contiguous());
  const auto x = torch::randn({3, 1, 32, 50});
  // other kernels add in another order
  CHECK(torch::allclose(a->forward(x), b->forward(x), 1e-4, 1e-5));
}

TEST_CASE("feature maps come from input to output, detached, and leave mode and statistics alone") {
  auto net = make({.depths = {1, 1, 1}, .width = 4, .stem_stride = 2});
  const auto before = net->named_buffers()["bn1.running_mean"].clone();
  const auto maps = net->feature_maps(torch::randn({2, 1, 32, 48}));
  REQUIRE(maps.size() == 4);
  CHECK(maps[0].first == "stem");
  CHECK(maps[0].second.sizes() == torch::IntArrayRef({2, 4, 16, 24}));
  CHECK(maps[1].first == "layer1");
  CHECK(maps[1].second.sizes() == torch::IntArrayRef({2, 4, 16, 24}));
  CHECK(maps[3].first == "layer3");
  CHECK(maps[3].second.sizes() == torch::IntArrayRef({2, 16, 4, 6}));
  for (const auto& [name, map] : maps) CHECK_FALSE(map.requires_grad());
  CHECK(net->is_training());
  CHECK(torch::equal(before, net->named_buffers()["bn1.running_mean"]));
}

TEST_CASE("inputs of another kind are refused when the network is built") {
  SECTION("a waveform") {
    const auto p = only_problem([] { ResNet(small(), {Domain::audio, {1, 16000}, 16000}); });
    CHECK(p.field == "input");
    CHECK_THAT(p.message, ContainsSubstring("got audio [1, 16000]") && ContainsSubstring("2 dimensions") &&
                              ContainsSubstring("expected spectrogram [C, F, T] (3 dimensions)"));
  }
  SECTION("a varying number of channels") {
    const auto p = only_problem([] { ResNet(small(), spectrogram(-1)); });
    CHECK(p.field == "input");
    CHECK_THAT(p.message, ContainsSubstring("with -1 channels") && ContainsSubstring("at least 1"));
  }
}

TEST_CASE("a batch with another number of channels or dimensions is refused with both numbers") {
  auto net = make(small(), 2);
  const auto p = only_problem([&] { net->forward(torch::zeros({4, 3, 16, 16})); });
  CHECK(p.field == "input");
  CHECK(p.message == "got x [4, 3, 16, 16] with 3 channels, expected [B, 2, F, T] with 2");
  CHECK(only_problem([&] { net->forward(torch::zeros({2, 16, 16})); }).field == "input");
}

TEST_CASE("options that do not fit together are refused, each by name") {
  const auto fields = [](const ResNetOptions& o) {
    std::vector<std::string> names;
    try {
      o.check();
    } catch (const InputError& e) {
      for (const auto& p : e.problems()) names.push_back(p.field);
    }
    return names;
  };
  CHECK(fields({}).empty());
  CHECK(fields({.depths = {}}) == std::vector<std::string>{"depths"});
  CHECK(fields({.depths = std::vector<int64_t>(9, 1)}) == std::vector<std::string>{"depths"});
  CHECK(fields({.depths = {1, 1}, .widths = {8}, .stem_kernel = 4}) ==
        std::vector<std::string>{"widths", "stem_kernel"});
}

TEST_CASE("the ResNet options describe themselves") {
  ResNetOptions o;
  Fields fields;
  o.describe(fields);
  std::set<std::string> names;
  for (const auto& f : fields.all()) {
    names.insert(f.name);
    CHECK_FALSE(f.doc.empty());
  }
  CHECK(names.size() == 11);
  CHECK(names.contains("squeeze_excitation"));
}

TEST_CASE("a small network learns to tell two noises apart") {
  auto net = make({.depths = {1, 1}, .width = 8});
  torch::nn::Linear head(net->width(), 2);
  std::vector<torch::Tensor> parameters = net->parameters();
  for (const auto& p : head->parameters()) parameters.push_back(p);
  torch::optim::SGD optimizer(parameters, torch::optim::SGDOptions(0.1).momentum(0.9));
  // Class 1 is louder in the upper half of the bins.
  const auto y = torch::arange(16) % 2;
  auto x = torch::randn({16, 1, 16, 20});
  x.slice(2, 8, 16) += 2.0 * y.view({16, 1, 1, 1});
  float loss = 0;
  for (int i = 0; i < 30; ++i) {
    optimizer.zero_grad();
    const auto l = torch::nn::functional::cross_entropy(head->forward(net->forward(x)), y);
    l.backward();
    optimizer.step();
    loss = l.item<float>();
  }
  CHECK(loss < 0.1F);  // chance is 0.69
}
