#include <ATen/autocast_mode.h>
#include <torch/optim/adamw.h>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <map>
#include <set>

#include "amae/error.h"
#include "audiomae_support.h"
#include "tests/problems.h"

namespace amae::audiomae_test {
namespace {

using Catch::Matchers::ContainsSubstring;

int64_t count_parameters(const torch::nn::Module& net) {
  int64_t n = 0;
  for (const auto& p : net.parameters()) n += p.numel();
  return n;
}

/// Each way to tell tokens where they are, and each kind of block.
AudioMaeOptions variant() {
  AudioMaeOptions o = tiny();
  o.blocks = GENERATE("macaron", "vit");
  o.positions = GENERATE("sincos", "learned", "none");
  o.rope = GENERATE(false, true);
  o.cls_token = GENERATE(true, false);
  return o;
}

/// x with other content in the patches that are not kept.
torch::Tensor hidden_replaced(const torch::Tensor& x, const torch::Tensor& kept) {
  const audiomae::PatchSize size{.time = 2, .frequency = 4};
  const int64_t values = x.size(1) * 8;
  const auto shown = torch::zeros({x.size(0), kTokens}).scatter_(1, kept, 1.0).unsqueeze(-1).expand({-1, -1, values});
  const auto mask = audiomae::unpatchify(shown, size, {.bands = 3, .steps = 5});
  auto other = x.clone();
  other.slice(3, 0, 10).copy_(torch::where(mask.gt(0), x.slice(3, 0, 10), torch::randn_like(mask) * 1e6));
  return other;
}

}  // namespace

TEST_CASE("the published sizes have the published numbers of parameters") {
  // Blocks are alike, so one and two of each give the count of any depth; the largest would fill 2 GB.
  struct Size {
    std::string name;
    int64_t depth, macaron, vit;
  };
  const Size size = GENERATE(Size{"tiny", 12, 20'859'200, 12'549'184}, Size{"small", 12, 47'549'504, 28'591'168},
                             Size{"medium", 12, 75'167'280, 45'184'064}, Size{"base", 12, 154'014'272, 92'525'632},
                             Size{"large", 24, 525'575'504, 315'547'712});
  const std::string blocks = GENERATE("macaron", "vit");
  CAPTURE(size.name, blocks);
  const Spec official{Domain::spectrogram, {1, 80, 200}, 100.0};
  const auto count = [&](int64_t depth, int64_t decoder_depth) {
    const AudioMaeOptions o{
        .size = size.name, .depth = depth, .decoder_depth = decoder_depth, .form = "official_compat", .blocks = blocks};
    return count_parameters(AudioMae(o, official, true));
  };
  const int64_t one = count(1, 1), block = count(2, 1) - one, decoder_block = count(1, 2) - one;
  CHECK(one + (size.depth - 1) * block + 3 * decoder_block == (blocks == "vit" ? size.vit : size.macaron));
}

TEST_CASE("tiny, built whole: 20,859,200 parameters with the decoder, 8,921,856 without, 250 tokens") {
  const Spec official{Domain::spectrogram, {1, 80, 200}, 100.0};
  const AudioMaeOptions o{.form = "official_compat"};
  const AudioMae with(o, official, true);
  CHECK(count_parameters(with) == 20'859'200);
  CHECK(count_parameters(AudioMae(o, official, false)) == 8'921'856);
  CHECK(with.token_grid().bands == 5);
  CHECK(with.token_grid().steps == 50);
}

TEST_CASE("parameters are named as in MAE and AudioMAE++; fixed tables are no part of the state") {
  AudioMaeOptions o = tiny();
  o.depth = 1;
  const auto names = [](const AudioMae& net) {
    std::set<std::string> all;
    for (const auto& p : net.named_parameters()) all.insert(p.key());
    return all;
  };
  const auto with_biases = [](std::set<std::string> all, const std::vector<std::string>& layers) {
    for (const auto& layer : layers) {
      all.insert(layer + ".weight");
      all.insert(layer + ".bias");
    }
    return all;
  };
  SECTION("macaron") {
    std::vector<std::string> layers = {"patch_embed.proj", "norm", "decoder.decoder_embed", "decoder.decoder_norm",
                                       "decoder.decoder_pred"};
    for (const std::string block : {"blocks.0.", "decoder.decoder_blocks.0."}) {
      for (const std::string layer : {"norm1", "ffn1.fc1", "ffn1.fc2", "norm2", "attn.qkv", "attn.proj", "norm3",
                                      "ffn2.value", "ffn2.gate", "ffn2.norm", "ffn2.proj"}) {
        layers.push_back(block + layer);
      }
    }
    const auto net = build(o);
    CHECK(names(*net) == with_biases({"cls_token", "decoder.mask_token"}, layers));
    CHECK(net->buffers().empty());
  }
  SECTION("vit with learned positions, encoder alone") {
    o.blocks = "vit";
    o.positions = "learned";
    const std::vector<std::string> layers = {
        "patch_embed.proj",   "norm",           "blocks.0.norm1",   "blocks.0.attn.qkv",
        "blocks.0.attn.proj", "blocks.0.norm2", "blocks.0.mlp.fc1", "blocks.0.mlp.fc2"};
    CHECK(names(*build(o, picture(), false)) == with_biases({"cls_token", "pos_embed"}, layers));
  }
}

TEST_CASE("layer groups: what makes tokens, then the blocks; the rest is in the last group") {
  const auto net = build(tiny());
  CHECK(net->depth() == 3);
  CHECK(net->layer_of("patch_embed.proj.weight") == 0);
  CHECK(net->layer_of("cls_token") == 0);
  CHECK(net->layer_of("pos_embed") == 0);
  CHECK(net->layer_of("blocks.0.attn.qkv.weight") == 1);
  CHECK(net->layer_of("blocks.1.norm1.bias") == 2);
  CHECK(net->layer_of("norm.weight") == 2);
  CHECK(net->layer_of("decoder.decoder_blocks.0.norm1.bias") == 2);
}

TEST_CASE("the content of hidden patches never changes what is computed from the visible ones") {
  const auto net = build(variant());
  const auto x = torch::randn({2, 1, 12, 11}), kept = some_kept(2, 6);
  const auto other = hidden_replaced(x, kept);
  CHECK_FALSE(torch::equal(x, other));
  const auto a = net->reconstruct(x, kept), b = net->reconstruct(other, kept);
  CHECK(torch::equal(a.features, b.features));
  CHECK(torch::equal(a.prediction.slice(3, 0, 10), b.prediction.slice(3, 0, 10)));
  CHECK_FALSE(torch::equal(a.losses, b.losses));
}

TEST_CASE("the order in which visible tokens are listed changes nothing") {
  const auto net = build(variant());
  net->to(torch::kFloat64);
  const auto x = torch::randn({2, 1, 12, 11}, torch::kFloat64), kept = some_kept(2, 6);
  const auto a = net->reconstruct(x, kept), b = net->reconstruct(x, kept.index_select(1, torch::randperm(6)));
  CHECK(torch::allclose(a.features, b.features, 1e-10, 1e-10));
  CHECK(torch::allclose(a.losses, b.losses, 1e-10, 1e-10));
  CHECK(torch::allclose(a.prediction, b.prediction, 1e-10, 1e-10));
}

TEST_CASE("where tokens are matters exactly when something tells them apart") {
  AudioMaeOptions o = tiny();
  o.positions = GENERATE("sincos", "learned", "none");
  o.rope = GENERATE(false, true);
  CAPTURE(o.positions, o.rope);
  const auto net = build(o);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({1, 1, 12, 10});
  const auto moved = torch::cat({x.slice(3, 4), x.slice(3, 0, 4)}, 3);  // two steps
  CHECK(torch::allclose(net->forward(x), net->forward(moved), 1e-4, 1e-5) == (o.positions == "none" && !o.rope));
}

TEST_CASE("in eval mode features are the same bits at every call and do not depend on the batch") {
  AudioMaeOptions o = variant();
  o.token_drop = 0.4;
  o.drop_path = 0.3;
  const auto net = build(o);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({5, 1, 12, 11});
  const auto together = net->forward(x);
  CHECK(torch::equal(net->forward(x), together));
  for (int64_t i = 0; i < 5; ++i) {
    CHECK(torch::allclose(net->forward(x.slice(0, i, i + 1)), together.slice(0, i, i + 1), 1e-5, 1e-5));
  }
  CHECK_FALSE(torch::allclose(together[0], together[1], 1e-2, 1e-2));
}

TEST_CASE("token_drop and drop_path act in training only, and a seed repeats them") {
  AudioMaeOptions o = tiny();
  SECTION("token_drop") { o.token_drop = 0.4; }
  SECTION("drop_path") { o.drop_path = 0.5; }
  const auto net = build(o);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({8, 1, 12, 11});
  const auto evaluated = net->forward(x);
  net->train();
  const auto in_training = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return net->forward(x);
  };
  CHECK_FALSE(torch::allclose(in_training(1), evaluated, 1e-3, 1e-3));
  CHECK(torch::equal(in_training(1), in_training(1)));
  CHECK_FALSE(torch::equal(in_training(1), in_training(2)));
  net->eval();
  CHECK(torch::equal(net->forward(x), evaluated));
}

TEST_CASE("token_drop of nearly everything leaves one token, and every band stays finite") {
  AudioMaeOptions o = tiny();
  o.token_drop = 0.95;
  o.pooling = "mean_frequency";
  const auto net = build(o);
  net->train();
  const auto y = net->forward(torch::randn({4, 1, 12, 11}));
  CHECK(torch::isfinite(y).all().item<bool>());
  CHECK(torch::equal(y.unflatten(1, {3, 16}).abs().sum(2).gt(0).sum(1), torch::ones({4}, torch::kInt64)));
}

TEST_CASE("another clip length works in forward(), and frames after the last whole patch are left out") {
  const auto net = build(variant());
  const torch::NoGradGuard no_grad;
  for (const int64_t frames : {2, 10, 40}) {
    CAPTURE(frames);
    const auto x = torch::randn({2, 1, 12, frames});
    const auto y = net->forward(x);
    CHECK(y.sizes() == torch::IntArrayRef({2, 16}));
    CHECK(torch::equal(net->forward(torch::cat({x, torch::randn({2, 1, 12, 1})}, 3)), y));
  }
}

TEST_CASE("pooling: mean over patch tokens, the cls token, or a mean for each band") {
  AudioMaeOptions o = tiny();
  const auto mean = build(o);
  o.pooling = "cls";
  const auto cls = build(o);
  o.pooling = "mean_frequency";
  const auto bands = build(o);
  CHECK(mean->width() == 16);
  CHECK(cls->width() == 16);
  CHECK(bands->width() == 48);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({2, 1, 12, 11});
  const auto last = mean->feature_maps(x).back().second;  // [B, D, bands, steps] before the final norm
  const auto tokens = torch::layer_norm(last.permute({0, 3, 2, 1}), {16}, {}, {}, 1e-6);  // its weight is still 1
  CHECK(torch::allclose(mean->forward(x), tokens.mean({1, 2}), 1e-4, 1e-5));
  CHECK(torch::allclose(bands->forward(x), tokens.mean(1).flatten(1), 1e-4, 1e-5));
  CHECK_FALSE(torch::allclose(cls->forward(x), mean->forward(x), 1e-2, 1e-2));
}

TEST_CASE("mean_frequency over a part of the tokens is the mean over those of each band") {
  AudioMaeOptions o = tiny();
  o.pooling = "mean_frequency";
  o.token_drop = 0.01;  // rounds to no token
  const auto net = build(o);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({2, 1, 12, 11});
  const auto evaluated = net->forward(x);
  net->train();
  CHECK(torch::allclose(net->forward(x), evaluated, 1e-5, 1e-5));
}

TEST_CASE("feature maps: embedded patches, each block's tokens as a picture, each attention with rows of sum 1") {
  const auto net = build(tiny());
  net->train();
  const auto maps = net->feature_maps(torch::randn({2, 1, 12, 11}));
  CHECK(net->is_training());
  std::vector<std::string> names;
  for (const auto& [name, map] : maps) {
    names.push_back(name);
    CHECK_FALSE(map.requires_grad());
    if (name.starts_with("attention")) {
      CHECK(map.sizes() == torch::IntArrayRef({2, 2, 16, 16}));
      CHECK(torch::allclose(map.sum(-1), torch::ones({2, 2, 16}), 1e-5, 1e-5));
    } else {
      CHECK(map.sizes() == torch::IntArrayRef({2, 16, 3, 5}));
    }
  }
  CHECK(names == std::vector<std::string>{"patches", "attention1", "block1", "attention2", "block2"});
}

TEST_CASE("\"patches\" stand where they were in the picture") {
  const auto net = build(tiny());
  auto x = torch::zeros({1, 1, 12, 10});
  const auto before = net->feature_maps(x)[0].second;
  x[0][0][5][7] = 1.0;                                                       // band 1, step 3
  const auto changed = net->feature_maps(x)[0].second.ne(before).any(1)[0];  // [bands, steps]
  CHECK(changed.sum().item<int64_t>() == 1);
  CHECK(changed[1][3].item<bool>());
}

TEST_CASE("a reconstruction has the input's shape; what no patch covers is the input itself") {
  const auto net = build(tiny());
  const auto x = torch::randn({2, 1, 12, 11}), kept = some_kept(2, 6);
  const auto y = net->reconstruct(x, kept);
  CHECK(y.losses.sizes() == torch::IntArrayRef({2}));
  CHECK(y.features.sizes() == torch::IntArrayRef({2, 16}));
  CHECK(y.losses.requires_grad());
  CHECK(y.features.requires_grad());
  CHECK_FALSE(y.prediction.requires_grad());
  REQUIRE(y.prediction.sizes() == x.sizes());
  CHECK(torch::equal(y.prediction.slice(3, 10), x.slice(3, 10)));
}

TEST_CASE("IQ and audio are pictures of one row") {
  AudioMaeOptions o = tiny();
  o.rope = true;
  o.patch_time = 8;
  const Spec iq{Domain::iq, {2, 61}, 1e6};
  const auto net = build(o, iq);
  CHECK(net->token_grid().bands == 1);
  CHECK(net->token_grid().steps == 7);
  const auto x = torch::randn({3, 2, 61});
  CHECK(net->forward(x).sizes() == torch::IntArrayRef({3, 16}));
  CHECK(net->forward(torch::randn({3, 2, 200})).sizes() == torch::IntArrayRef({3, 16}));
  const auto y = net->reconstruct(x, some_kept(3, 2, 7));
  CHECK(y.prediction.sizes() == x.sizes());
  CHECK(torch::equal(y.prediction.slice(2, 56), x.slice(2, 56)));
}

TEST_CASE("every parameter learns from a reconstruction, and its loss falls") {
  AudioMaeOptions o = variant();
  o.normalized_target = GENERATE(false, true);
  const auto net = build(o);
  net->train();
  const auto x = torch::randn({4, 1, 12, 11}).cumsum(3), kept = some_kept(4, 6);
  torch::optim::AdamW optimizer(net->parameters(), torch::optim::AdamWOptions(3e-3));
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    optimizer.zero_grad();
    const auto loss = net->reconstruct(x, kept).losses.mean();
    loss.backward();
    if (step == 0) {
      first = loss.item<double>();
      for (const auto& p : net->named_parameters()) {
        INFO(p.key());
        REQUIRE(p.value().grad().defined());
        CHECK(p.value().grad().abs().max().item<double>() > 0);
      }
    }
    optimizer.step();
    last = loss.item<double>();
  }
  CHECK(last < 0.8 * first);
}

TEST_CASE("the gradient through masking, gathering and both positions agrees with finite differences") {
  AudioMaeOptions o = tiny();
  o.depth = 1;
  o.positions = "learned";
  o.rope = true;
  o.normalized_target = GENERATE(false, true);
  const auto net = build(o);
  net->to(torch::kFloat64);
  auto x = torch::randn({2, 1, 12, 10}, torch::kFloat64).requires_grad_();
  const auto kept = some_kept(2, 6);
  const auto weights = torch::tensor({1.0, -0.5}, torch::kFloat64);
  const auto f = [&] {
    const auto y = net->reconstruct(x, kept);
    return (y.losses * weights).sum() + y.features.square().sum();
  };
  check_gradient(f, x);
  const auto parameters = net->named_parameters();
  for (const std::string name : {"pos_embed", "cls_token", "decoder.mask_token"}) {
    INFO(name);
    check_gradient(f, parameters[name]);
  }
}

TEST_CASE("under autocast to bfloat16 losses and gradients are near those without") {
  AudioMaeOptions o = tiny();
  o.rope = true;
  o.drop_path = 0.1;
  const auto net = build(o);
  const auto x = torch::randn({4, 1, 12, 11}), kept = some_kept(4, 6);
  const auto exact = net->reconstruct(x, kept).losses.detach();
  struct Autocast {
    Autocast() { at::autocast::set_autocast_enabled(at::kCPU, true); }
    ~Autocast() {
      at::autocast::set_autocast_enabled(at::kCPU, false);
      at::autocast::clear_cache();
    }
  } const autocast;
  net->train();
  const auto losses = net->reconstruct(x, kept).losses;
  losses.mean().backward();
  CHECK(torch::isfinite(net->named_parameters()["patch_embed.proj.weight"].grad()).all().item<bool>());
  net->eval();
  CHECK(torch::allclose(net->reconstruct(x, kept).losses.to(torch::kFloat32), exact, 0.05, 0.05));  // 8 bits
  CHECK(net->forward(x).sizes() == torch::IntArrayRef({4, 16}));
}

TEST_CASE("the encoder starts with the same weights with and without a decoder") {
  const auto with = build(tiny()), without = build(tiny(), picture(), false);
  const auto all = with->named_parameters();
  for (const auto& p : without->named_parameters()) {
    INFO(p.key());
    CHECK(torch::equal(p.value(), all[p.key()]));
  }
  CHECK(all.size() > without->named_parameters().size());
  CHECK(only_problem([&] {
          without->reconstruct(torch::randn({1, 1, 12, 11}), some_kept(1, 6));
        }).field == "reconstructs");
}

TEST_CASE("learned positions of another clip length are interpolated along time, band by band") {
  AudioMaeOptions o = tiny();
  o.positions = "learned";
  const auto net = build(o);
  // Value = 100 * band + step: linear in time, so halving and doubling the steps keeps it linear inside.
  const auto ramp = [](int64_t steps, double scale) {
    const auto token = torch::arange(steps * kBands);
    const auto value =
        token.remainder(kBands) * 100 + (token.div(kBands, "floor").to(torch::kFloat32) + 0.5) * scale - 0.5;
    return value.view({1, -1, 1}).expand({1, -1, 16}).contiguous().to(torch::kFloat32);
  };
  const auto fitted = net->resized("pos_embed", ramp(10, 1.0));
  REQUIRE(fitted.sizes() == torch::IntArrayRef({1, 15, 16}));
  CHECK(torch::allclose(fitted, ramp(5, 2.0), 1e-5, 1e-4));
  const auto with_cls = torch::cat({torch::full({1, 1, 16}, 1e9), ramp(10, 1.0)}, 1);
  CHECK(torch::equal(net->resized("pos_embed", with_cls), fitted));
  CHECK_FALSE(net->resized("pos_embed", torch::zeros({1, 17, 16})).defined());
  CHECK_FALSE(net->resized("pos_embed", torch::zeros({1, 30, 8})).defined());
  CHECK_FALSE(net->resized("norm.weight", torch::zeros({8})).defined());
}

TEST_CASE("with one band a cls row is left out when the other positions are as many as ours") {
  AudioMaeOptions o = tiny();
  o.positions = "learned";
  o.patch_frequency = 12;
  const auto net = build(o);
  const int64_t steps = net->token_grid().steps;
  REQUIRE(net->token_grid().bands == 1);
  const auto table = torch::randn({1, steps, 16});
  const auto with_cls = torch::cat({torch::full({1, 1, 16}, 1e9), table}, 1);
  CHECK(torch::allclose(net->resized("pos_embed", with_cls), table, 1e-5, 1e-5));
  CHECK(net->resized("pos_embed", torch::zeros({1, steps + 2, 16})).size(1) == steps);
}

TEST_CASE("a patch embedding of another number of channels answers equal channels as before") {
  const auto one = build(tiny(), picture(1)), three = build(tiny(), picture(3));
  const auto weight = one->named_parameters()["patch_embed.proj.weight"];
  const auto wide = three->resized("patch_embed.proj.weight", weight);
  REQUIRE(wide.sizes() == torch::IntArrayRef({16, 3, 2, 4}));
  CHECK(torch::allclose(wide.sum(1, true), weight, 1e-5, 1e-6));
  CHECK(torch::allclose(one->resized("patch_embed.proj.weight", wide), weight, 1e-5, 1e-6));
  CHECK_FALSE(one->resized("patch_embed.proj.weight", torch::zeros({16, 3, 4, 4})).defined());
}

TEST_CASE("an input that cannot be cut into patches is refused") {
  const auto refused = [](const Spec& input, bool reconstructs = true) {
    return only_problem([&] { AudioMae(tiny(), input, reconstructs); });
  };
  CHECK(refused({Domain::spectrogram, {-1, 12, 11}, 1}).field == "input");
  CHECK(refused({Domain::spectrogram, {1, -1, 11}, 1}).field == "input");
  CHECK(refused({Domain::spectrogram, {1, 12, -1}, 1}).field == "input");
  CHECK(refused({Domain::audio, {1}, 1}).field == "input");
  CHECK(refused({Domain::spectrogram, {1, 12, 1}, 1}).field == "patch_time");
  const Problem bins = refused({Domain::spectrogram, {1, 14, 11}, 1});
  CHECK(bins.field == "patch_frequency");
  CHECK_THAT(bins.message,
             ContainsSubstring("got 4") && ContainsSubstring("14 frequency bins") && ContainsSubstring("try 2"));
  const AudioMae open(tiny(), {Domain::spectrogram, {1, 12, -1}, 1}, false);
  CHECK(open.width() == 16);
  CHECK(only_problem([&] { static_cast<void>(open.token_grid()); }).field == "input");
}

TEST_CASE("an x of other sizes than the model's is refused") {
  const auto net = build(tiny());
  const auto refused = [&](torch::IntArrayRef sizes) {
    return only_problem([&] { net->forward(torch::zeros(sizes)); }).field;
  };
  CHECK(refused({1, 2, 12, 11}) == "input");
  CHECK(refused({1, 1, 8, 11}) == "input");
  CHECK(refused({1, 1, 12, 1}) == "input");
  CHECK(refused({1, 12, 11}) == "input");
  CHECK(only_problem([&] { net->reconstruct(torch::zeros({1, 1, 12, 40}), some_kept(1, 6)); }).field == "input");
}

TEST_CASE("options that do not fit together are refused by name") {
  AudioMaeOptions o = tiny();
  std::string field;
  SECTION("heads must divide dim") { o.heads = 3, field = "heads"; }
  SECTION("rope wants heads of a width that 4 divides") { o.heads = 8, o.rope = true, field = "heads"; }
  SECTION("rope in the decoder, too") { o.decoder_heads = 4, o.rope = true, field = "decoder_heads"; }
  SECTION("widths for two axes") { o.dim = 18, field = "dim"; }
  SECTION("custom without dimensions") { o.depth = 0, field = "size"; }
  SECTION("cls pooling without cls token") { o.cls_token = false, o.pooling = "cls", field = "pooling"; }
  CHECK(only_problem([&] { o.check(); }).field == field);
}

}  // namespace amae::audiomae_test
