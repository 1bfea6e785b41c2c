#include "task/model_summary.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "task/session.h"
#include "testing.h"

using namespace amae;

namespace {

/// Two convolutions, the second in two groups, batch norm, mean, and one linear layer without bias over tokens.
class SmallNet : public Encoder {
 public:
  SmallNet() {
    using torch::nn::Conv2dOptions;
    first_ = register_module("first", torch::nn::Conv2d(Conv2dOptions(1, 4, 3).padding(1)));
    norm_ = register_module("norm", torch::nn::BatchNorm2d(4));
    second_ = register_module("second", torch::nn::Conv2d(Conv2dOptions(4, 6, 3).stride(2).groups(2).bias(false)));
    mix_ = register_module("mix", torch::nn::Linear(torch::nn::LinearOptions(6, 5).bias(false)));
  }
  torch::Tensor forward(const torch::Tensor& x) override {
    const torch::Tensor h = second_(torch::relu(norm_(first_(x))));  // [B, 6, 4, 3]
    return mix_(h.flatten(2).transpose(1, 2)).mean(1);               // over 12 tokens
  }
  [[nodiscard]] int64_t width() const override { return 5; }

 private:
  torch::nn::Conv2d first_{nullptr}, second_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::nn::Linear mix_{nullptr};
};

/// Scaled dot-product attention of an input with itself: products of activations alone.
class Attention : public Encoder {
 public:
  torch::Tensor forward(const torch::Tensor& x) override {
    return torch::scaled_dot_product_attention(x, x, x).mean(1).mean(1);
  }
  [[nodiscard]] int64_t width() const override { return 8; }
};

/// Four tokens of one number each; reconstructs through a decoder.
class Autoencoder : public MaskedAutoencoder {
 public:
  Autoencoder() {
    embed_ = register_module("embed", torch::nn::Linear(1, 6));
    decode_ = register_module("decode", torch::nn::Linear(6, 1));
  }
  torch::Tensor forward(const torch::Tensor& x) override { return embed_(x.flatten(1).unsqueeze(2)).mean(1); }
  [[nodiscard]] int64_t width() const override { return 6; }
  [[nodiscard]] TokenGrid token_grid() const override { return {1, 4}; }
  Reconstruction reconstruct(const torch::Tensor& x, const torch::Tensor& kept) override {
    const torch::Tensor visible = embed_(x.flatten(1).gather(1, kept).unsqueeze(2));
    const torch::Tensor guess = decode_(visible.mean(1));
    return {guess.squeeze(1), visible.mean(1), x};
  }

 private:
  torch::nn::Linear embed_{nullptr}, decode_{nullptr};
};

}  // namespace

// By hand, for an input of [1, 10, 8]:
//   first   output 4x10x8 = 320, each of 1*3*3 = 9 products: 2880;   parameters 4*9 + 4 = 40
//   norm    parameters 8
//   second  output 6x4x3 = 72, each of 2*3*3 = 18 products: 1296;    parameters 6*18 = 108
//   mix     output 12x5 = 60, each of 6 products: 360;               parameters 30
//   head    output 3, each of 5 products: 15;                        parameters 15 + 3 = 18
TEST_CASE("parameters and multiply-accumulates of a small network are those counted by hand") {
  Classifier model(std::make_shared<SmallNet>(), 3, {});
  const ModelSummary summary = summarize(model, {1, 10, 8});
  std::vector<std::string> layers;
  for (const LayerSummary& layer : summary.layers) {
    layers.push_back(layer.name + " " + std::to_string(layer.parameters) + " " + std::to_string(layer.macs));
  }
  CHECK(layers == std::vector<std::string>{"encoder.first 40 2880", "encoder.norm 8 0", "encoder.second 108 1296",
                                           "encoder.mix 30 360", "head 18 15"});
  CHECK(summary.layers[2].output == std::vector<int64_t>{6, 4, 3});
  CHECK(summary.macs == 2880 + 1296 + 360 + 15);
  CHECK(summary.parameters == 40 + 8 + 108 + 30 + 18);
}

// 2 heads, 6 tokens, 8 wide: q k^T is 2*6*6*8 products, times v as many.
TEST_CASE("attention is counted once, as two products of activations") {
  Classifier model(std::make_shared<Attention>(), 3, {});
  const ModelSummary summary = summarize(model, {2, 6, 8});
  CHECK(summary.macs == 2 * (2 * 6 * 6 * 8) + 8 * 3);
}

// Of four tokens, half hidden: two are embedded (6 products each), one vector of 6 is decoded.
TEST_CASE("without a head a masked autoencoder is shown as in pretraining, with its decoder") {
  Classifier model(std::make_shared<Autoencoder>(), 0, {});
  const ModelSummary summary = summarize(model, {1, 2, 2}, 0.5);
  REQUIRE(summary.layers.size() == 2);
  CHECK(summary.layers[0].name == "encoder.embed");
  CHECK(summary.layers[1].name == "encoder.decode");
  CHECK(summary.macs == 2 * 6 + 6);
  CHECK(summary.parameters == 12 + 7);
  Classifier with_head(std::make_shared<Autoencoder>(), 3, {});
  const ModelSummary classifier = summarize(with_head, {1, 2, 2}, 0.5);
  CHECK(classifier.layers.back().name == "head");
  CHECK(classifier.macs == 4 * 6 + 6 * 3);
}

TEST_CASE("a summary changes neither mode nor statistics of the model") {
  Classifier model(std::make_shared<SmallNet>(), 3, {});
  model.train();
  const torch::Tensor before = model.named_buffers()["encoder.norm.running_mean"].clone();
  summarize(model, {1, 10, 8});
  CHECK(model.is_training());
  CHECK(torch::equal(model.named_buffers()["encoder.norm.running_mean"], before));
}

TEST_CASE("the 34-layer network with one channel and 50 classes has 21,304,050 parameters") {
  const Plan plan = Configs().plan(kSmall, {"model={name: resnet, depths: [3, 4, 6, 3], width: 64, stem_kernel: 7, "
                                            "stem_stride: 2, stem_pool: true, pooling: mean}"});
  const auto encoder = plan.registry->make_model(plan.config.model, {{Domain::spectrogram, {1, 64, 64}, 100}, 0});
  Classifier model(encoder, 50, {});
  const ModelSummary summary = summarize(model, {1, 64, 64});
  CHECK(summary.parameters == 21304050);
  int64_t in_layers = 0;
  for (const LayerSummary& layer : summary.layers) in_layers += layer.parameters;
  CHECK(in_layers == 21304050);  // every parameter has its line
}
