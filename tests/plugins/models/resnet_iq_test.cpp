// The ResNet over IQ: the same network in one dimension.
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "amae/error.h"
#include "plugins/models/resnet/resnet.h"

namespace amae {
namespace {

using Catch::Matchers::ContainsSubstring;

const Spec kFrames{Domain::iq, {2, 128}, 0};

ResNetOptions narrow_net() { return {.depths = {1, 2}, .width = 8, .stem_kernel = 7, .zero_init_residual = false}; }

std::shared_ptr<ResNet> iq_net(const ResNetOptions& options) {
  torch::manual_seed(1);
  return std::make_shared<ResNet>(options, kFrames);
}

/// Gives running statistics and affine parameters of the norms values that show.
void stir(ResNet& net) {
  const torch::NoGradGuard no_grad;
  net.train();
  for (int i = 0; i < 5; ++i) net.forward(torch::randn({8, 2, 64}) + 0.5);
  net.eval();
  for (auto& p : net.named_parameters()) {
    if (p.value().dim() == 1) p.value().add_(0.3 * torch::randn_like(p.value()));
  }
}

/// The network written down once more with torch::conv1d on the same weights: basic blocks, mean pooling, eval mode.
class PlainResNet1d {
 public:
  explicit PlainResNet1d(const ResNet& net) {
    for (const auto& p : net.named_parameters()) tensors_[p.key()] = p.value().detach();
    for (const auto& b : net.named_buffers()) tensors_[b.key()] = b.value();
  }

  torch::Tensor features(const torch::Tensor& x, const std::vector<int64_t>& depths, int64_t stem_stride,
                         bool stem_pool) const {
    torch::Tensor y = torch::relu(norm("bn1", convolution("conv1", x, stem_stride)));
    if (stem_pool) y = torch::max_pool1d(y, 3, 2, 1);
    for (size_t stage = 0; stage < depths.size(); ++stage) {
      for (int64_t i = 0; i < depths[stage]; ++i) {
        const std::string block = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
        const int64_t stride = stage > 0 && i == 0 ? 2 : 1;
        torch::Tensor branch = torch::relu(norm(block + "bn1", convolution(block + "conv1", y, stride)));
        branch = norm(block + "bn2", convolution(block + "conv2", branch, 1));
        if (tensors_.contains(block + "downsample.0.weight")) {
          y = norm(block + "downsample.1", convolution(block + "downsample.0", y, stride));
        }
        y = torch::relu(branch + y);
      }
    }
    return y.mean(2);
  }

 private:
  torch::Tensor convolution(const std::string& name, const torch::Tensor& x, int64_t stride) const {
    const torch::Tensor weight = tensors_.at(name + ".weight").squeeze(2);  // [out, in, 1, k]
    return torch::conv1d(x, weight, {}, stride, weight.size(2) / 2);
  }
  torch::Tensor norm(const std::string& name, const torch::Tensor& x) const {
    return torch::batch_norm(x, tensors_.at(name + ".weight"), tensors_.at(name + ".bias"),
                             tensors_.at(name + ".running_mean"), tensors_.at(name + ".running_var"), false, 0, 1e-5,
                             false);
  }
  std::map<std::string, torch::Tensor> tensors_;
};

template <class F>
std::string refusal_of(F make_it) {
  try {
    make_it();
  } catch (const InputError& e) {
    CHECK(e.problems()[0].field == "input");
    return e.problems()[0].message;
  }
  return "accepted";
}

}  // namespace

TEST_CASE("over IQ the ResNet is what torch::conv1d makes of the same weights") {
  ResNetOptions o = narrow_net();
  o.stem_stride = GENERATE(1, 2);
  o.stem_pool = GENERATE(false, true);
  CAPTURE(o.stem_stride, o.stem_pool);
  auto net = iq_net(o);
  stir(*net);
  const torch::NoGradGuard no_grad;
  const PlainResNet1d plain(*net);
  for (const int64_t length : {128, 61, 1}) {
    const auto x = torch::randn({3, 2, length});
    const auto y = net->forward(x);
    CHECK(y.sizes() == torch::IntArrayRef({3, 16}));
    // float32 sums of up to a hundred terms near 1, in another order
    CHECK(torch::allclose(y, plain.features(x, o.depths, o.stem_stride, o.stem_pool), 1e-4, 1e-5));
  }
}

TEST_CASE("every kernel over IQ is one row high, and every parameter learns") {
  ResNetOptions o = narrow_net();
  o.block = GENERATE("basic", "bottleneck");
  o.squeeze_excitation = GENERATE(false, true);
  o.pooling = GENERATE("mean", "mean_max");
  auto net = iq_net(o);
  const auto y = net->forward(torch::randn({4, 2, 128}));
  CHECK(y.sizes() == torch::IntArrayRef({4, net->width()}));
  (y * torch::randn_like(y)).sum().backward();
  for (const auto& p : net->named_parameters()) {
    INFO(p.key());
    if (p.value().dim() == 4) CHECK(p.value().size(2) == 1);
    REQUIRE(p.value().grad().defined());
    CHECK(p.value().grad().abs().max().item<float>() > 0);
  }
}

TEST_CASE("the network of configs/radioml_resnet.yaml has 240,256 parameters before its head") {
  auto net = iq_net({.depths = {2, 2, 2}, .widths = {32, 64, 128}, .stem_kernel = 7});
  int64_t count = 0;
  for (const auto& p : net->parameters()) count += p.numel();
  // stem 512, stage 1: 12,544, stage 2: 45,696, stage 3: 181,504
  CHECK(count == 240'256);
}

TEST_CASE("feature maps of IQ are [B, C, N], from input to output") {
  auto net = iq_net({.depths = {1, 1, 1}, .width = 4, .stem_kernel = 7});
  const auto maps = net->feature_maps(torch::randn({2, 2, 128}));
  REQUIRE(maps.size() == 4);
  CHECK(maps[0].first == "stem");
  CHECK(maps[0].second.sizes() == torch::IntArrayRef({2, 4, 64}));
  CHECK(maps[3].first == "layer3");
  CHECK(maps[3].second.sizes() == torch::IntArrayRef({2, 16, 16}));
}

TEST_CASE("a spectrogram of one bin gets the network that IQ gets") {
  torch::manual_seed(1);
  ResNet picture(narrow_net(), {Domain::spectrogram, {2, 1, 128}, 0});
  auto net = iq_net(narrow_net());
  picture.eval();
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({3, 2, 128});
  CHECK(torch::equal(picture.forward(x.unsqueeze(2)), net->forward(x)));
  CHECK(picture.feature_maps(x.unsqueeze(2))[0].second.dim() == 4);
}

TEST_CASE("in eval mode the features of an IQ frame do not depend on its batch") {
  auto net = iq_net(narrow_net());
  stir(*net);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({5, 2, 128});
  const auto together = net->forward(x);
  for (int64_t i = 0; i < 5; ++i) {
    CHECK(torch::allclose(net->forward(x.slice(0, i, i + 1)), together.slice(0, i, i + 1), 1e-5, 1e-5));
  }
}

TEST_CASE("the ResNet over IQ refuses pictures, other rows and audio with both forms named") {
  auto net = iq_net(narrow_net());
  CHECK(refusal_of([&] {
          net->forward(torch::zeros({4, 2, 1, 16}));
        }) == "got x [4, 2, 1, 16] with 2 channels, expected [B, 2, N] with 2");
  CHECK_THAT(refusal_of([&] { net->forward(torch::zeros({4, 3, 16})); }), ContainsSubstring("with 3 channels"));
  CHECK_THAT(refusal_of([] { ResNet({}, {Domain::audio, {2, 128}, 8000}); }), ContainsSubstring("or iq [2, N]"));
  CHECK(refusal_of([] {
          ResNet({}, {Domain::iq, {-1, 128}, 0});
        }) == "got iq [?, 128], expected rows I and Q: iq [2, N]");
  CHECK(refusal_of([] {
          ResNet({}, {Domain::iq, {3, 128}, 0});
        }) == "got iq [3, 128], expected rows I and Q: iq [2, N]");
}

}  // namespace amae
