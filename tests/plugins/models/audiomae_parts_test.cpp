#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "audiomae_support.h"
#include "plugins/models/audiomae/positions.h"
#include "plugins/models/audiomae/reconstruction_loss.h"

namespace amae::audiomae_test {
namespace {

using namespace amae::audiomae;

bool close(const torch::Tensor& a, const torch::Tensor& b, double tolerance) {
  return torch::allclose(a, b, tolerance, tolerance);
}

/// Scores of every query with every key, [N, N], at coordinates moved by a shift.
torch::Tensor scores_at(const torch::Tensor& q, const torch::Tensor& k, double time_shift, double frequency_shift) {
  const Coordinates at = coordinates_of({.bands = 3, .steps = 5});
  const Rotation r = rotation_at(at.step + time_shift, at.band + frequency_shift, q.size(1), 100.0);
  return rotate(q.unsqueeze(0), r)[0].matmul(rotate(k.unsqueeze(0), r)[0].t());
}

}  // namespace

TEST_CASE("token = step * bands + band, and a patch lies as (c, t, f) and, channels last, as (t, f, c)") {
  const auto x = torch::arange(2 * 2 * 12 * 11, torch::kFloat32).view({2, 2, 12, 11});
  const PatchSize size{.time = 2, .frequency = 4};
  const auto patches = patchify(x, size);
  REQUIRE(patches.sizes() == torch::IntArrayRef({2, 15, 16}));
  const int64_t step = 3, band = 1, token = step * 3 + band;
  const auto piece = x[1].slice(1, band * 4, band * 4 + 4).slice(2, step * 2, step * 2 + 2);  // [C, f, t]
  CHECK(torch::equal(patches[1][token], piece.permute({0, 2, 1}).flatten()));
  const auto turned = channels_last(patches, 2);
  CHECK(torch::equal(turned[1][token], piece.permute({2, 1, 0}).flatten()));
  CHECK(torch::equal(unpatchify(turned, size, {.bands = 3, .steps = 5}), x.slice(3, 0, 10)));
}

TEST_CASE("the patch embedding is a convolution whose stride is its kernel") {
  torch::manual_seed(1);
  PatchEmbed embed(2, PatchSize{.time = 2, .frequency = 4}, 8);
  const auto parameters = embed->named_parameters();
  const auto x = torch::randn({3, 2, 12, 10});
  const auto expected = torch::conv2d(x.transpose(2, 3), parameters["proj.weight"], parameters["proj.bias"], {2, 4});
  // 1e-5: sums of 16 products near 1 in another order
  CHECK(close(embed->forward(patchify(x, {.time = 2, .frequency = 4})), expected.flatten(2).transpose(1, 2), 1e-5));
}

TEST_CASE("the patch embedding starts as a matrix, or with a convolution's fans, from the same random numbers") {
  const PatchSize size{.time = 2, .frequency = 4};
  torch::manual_seed(1);
  const auto matrix = PatchEmbed(2, size, 64)->named_parameters()["proj.weight"];
  torch::manual_seed(1);
  const auto convolution = PatchEmbed(2, size, 64, /*convolution_fans=*/true)->named_parameters()["proj.weight"];
  // Xavier: uniform within sqrt(6 / (fan-in + fan-out)); 1,024 draws come within 1 % of the bound.
  const double bound = std::sqrt(6.0 / (16 + 64)), smaller = std::sqrt(6.0 / (16 + 64 * 8));
  const double largest = matrix.abs().max().item<double>();
  CHECK(largest <= bound);
  CHECK(largest > 0.99 * bound);
  CHECK(close(convolution / smaller, matrix / bound, 1e-5));  // rounding of 32 bits
}

TEST_CASE("2-D positions: the first half knows the band, the second the step, each as sines then cosines") {
  const auto table = sincos_2d({.bands = 3, .steps = 5}, 8);
  REQUIRE(table.sizes() == torch::IntArrayRef({15, 8}));
  const int64_t step = 4, band = 2;
  const std::vector<double> expected = {std::sin(2.0), std::sin(0.02), std::cos(2.0), std::cos(0.02),
                                        std::sin(4.0), std::sin(0.04), std::cos(4.0), std::cos(0.04)};
  CHECK(close(table[step * 3 + band], torch::tensor(expected, torch::kFloat64), 1e-12));
}

TEST_CASE("rope: scores depend on differences of time and of frequency only") {
  torch::manual_seed(2);
  const auto q = torch::randn({15, 12}, torch::kFloat64), k = torch::randn({15, 12}, torch::kFloat64);
  const auto here = scores_at(q, k, 0, 0);
  CHECK(close(scores_at(q, k, 7, 0), here, 1e-12));
  CHECK(close(scores_at(q, k, 0, -2), here, 1e-12));
  CHECK(close(scores_at(q, k, 123.25, 4.5), here, 1e-12));
  CHECK_FALSE(close(q.matmul(k.t()), here, 1e-2));
}

TEST_CASE("rope keeps lengths, leaves the origin alone and gives each axis its half of the head") {
  torch::manual_seed(3);
  const auto x = torch::randn({1, 4, 2, 8}, torch::kFloat64);
  const auto time = torch::tensor({0.0, 3.0, 0.0, 3.0}, torch::kFloat64);
  const auto frequency = torch::tensor({0.0, 0.0, 2.0, 2.0}, torch::kFloat64);
  const auto y = rotate(x, rotation_at(time, frequency, 8, 100.0));
  CHECK(close(y.norm(2, -1), x.norm(2, -1), 1e-12));
  CHECK(torch::equal(y[0][0], x[0][0]));
  CHECK(torch::equal(y[0][1].slice(1, 4), x[0][1].slice(1, 4)));
  CHECK_FALSE(close(y[0][1].slice(1, 0, 4), x[0][1].slice(1, 0, 4), 1e-3));
  CHECK(torch::equal(y[0][2].slice(1, 0, 4), x[0][2].slice(1, 0, 4)));
  CHECK_FALSE(close(y[0][2].slice(1, 4), x[0][2].slice(1, 4), 1e-3));
}

TEST_CASE("rope's gradient agrees with finite differences") {
  torch::manual_seed(4);
  const auto x = torch::randn({2, 3, 2, 8}, torch::kFloat64).requires_grad_();
  const auto weights = torch::randn({2, 3, 2, 8}, torch::kFloat64);
  const auto at = torch::tensor({0.0, 1.0, 5.0}, torch::kFloat64);
  const Rotation r = rotation_at(at, at.flip(0), 8, 100.0);
  check_gradient([&] { return (rotate(x, r).pow(3) * weights).sum(); }, x);
}

TEST_CASE("SwiGLU's gradient agrees with finite differences, for the input and every parameter") {
  torch::manual_seed(5);
  SwiGlu net(4, 6);
  net->to(torch::kFloat64);
  for (auto& p : net->parameters()) p.set_data(torch::randn_like(p));
  const auto x = torch::randn({2, 3, 4}, torch::kFloat64).requires_grad_();
  const auto weights = torch::randn({2, 3, 4}, torch::kFloat64);
  const auto f = [&] { return (net->forward(x) * weights).sum(); };
  check_gradient(f, x);
  for (const auto& p : net->named_parameters()) {
    INFO(p.key());
    check_gradient(f, p.value());
  }
}

TEST_CASE("SwiGLU's hidden width is two thirds of the plain one, rounded down as in the published sizes") {
  struct Case {
    int64_t dim, hidden;
  };
  const Case c =
      GENERATE(Case{192, 512}, Case{384, 1024}, Case{512, 1365}, Case{768, 2048}, Case{1024, 2730}, Case{1, 2});
  CHECK(swiglu_hidden(c.dim, 4.0) == c.hidden);
}

TEST_CASE("attention with its map gives what it gives without, and every row of the map sums to 1") {
  torch::manual_seed(6);
  Attention net(16, 2);
  const auto x = torch::randn({2, 7, 16});
  const auto at = torch::arange(7);
  const Rotation wide = rotation_at(at, at / 3, 8, 100.0);
  const Rotation rotation =
      GENERATE_COPY(Rotation{}, Rotation{wide.cos.to(torch::kFloat32), wide.sin.to(torch::kFloat32)});
  torch::Tensor map;
  const auto y = net->forward(x, rotation, &map);
  CHECK(close(net->forward(x, rotation), y, 1e-5));
  REQUIRE(map.sizes() == torch::IntArrayRef({2, 2, 7, 7}));
  CHECK(close(map.sum(-1), torch::ones({2, 2, 7}), 1e-5));
}

TEST_CASE("attention does not know the order of tokens but for their coordinates") {
  torch::manual_seed(7);
  Attention net(16, 2);
  net->to(torch::kFloat64);
  const auto x = torch::randn({1, 6, 16}, torch::kFloat64);
  const auto time = torch::arange(6), frequency = time.remainder(3), order = torch::randperm(6);
  const auto y = net->forward(x, rotation_at(time, frequency, 8, 100.0));
  const auto moved =
      net->forward(x.index_select(1, order), rotation_at(time.index({order}), frequency.index({order}), 8, 100.0));
  CHECK(close(moved, y.index_select(1, order), 1e-10));
}

TEST_CASE("the corrected Macaron block uses its third norm, the compatible one its second twice") {
  torch::manual_seed(8);
  const std::string form = GENERATE("corrected", "official_compat");
  MacaronBlock block({.form = form, .dim = 16, .heads = 2});
  const auto x = torch::randn({2, 5, 16});
  const auto before = block.forward(x, {}, nullptr);
  const torch::NoGradGuard no_grad;
  block.named_parameters()["norm3.weight"].fill_(3.0);
  CHECK(torch::equal(block.forward(x, {}, nullptr), before) == (form == "official_compat"));
}

TEST_CASE("the halves of a Macaron block count half: doubling their outputs makes three full steps") {
  torch::manual_seed(9);
  MacaronBlock half({.dim = 8, .heads = 1});
  const auto x = torch::randn({1, 3, 8});
  const torch::NoGradGuard no_grad;
  auto parameters = half.named_parameters();
  parameters["attn.proj.weight"].zero_();
  parameters["attn.proj.bias"].zero_();
  parameters["ffn2.proj.weight"].zero_();
  parameters["ffn2.proj.bias"].fill_(1.0);
  parameters["ffn1.fc2.weight"].zero_();
  parameters["ffn1.fc2.bias"].fill_(10.0);
  CHECK(close(half.forward(x, {}, nullptr), x + 5.5, 1e-5));
}

TEST_CASE("drop-path leaves whole branches of items out, in training only, and keeps the mean") {
  torch::manual_seed(10);
  VitBlock block({.kind = "vit", .dim = 8, .heads = 2, .drop_path = 0.5});
  const auto x = torch::randn({1, 4, 8}).expand({4000, 4, 8});
  const torch::NoGradGuard no_grad;
  auto parameters = block.named_parameters();
  parameters["attn.proj.weight"].zero_();
  parameters["attn.proj.bias"].fill_(1.0);
  parameters["mlp.fc2.weight"].zero_();
  parameters["mlp.fc2.bias"].fill_(10.0);
  block.eval();
  CHECK(close(block.forward(x, {}, nullptr), x + 11, 1e-5));
  block.train();
  const auto steps = block.forward(x, {}, nullptr) - x;  // 0, 2, 20 or 22
  CHECK(close(steps.amax({1, 2}), steps.amin({1, 2}), 1e-4));
  const auto step = steps.mean({1, 2}).round();
  for (const double value : {0.0, 2.0, 20.0, 22.0}) {
    CHECK(std::abs(step.eq(value).to(torch::kFloat32).mean().item<double>() - 0.25) < 0.03);  // 4 standard deviations
  }
}

TEST_CASE("the loss is 0 when the prediction is the target, whatever stands at visible patches") {
  torch::manual_seed(11);
  const auto target = torch::randn({2, 15, 8}), kept = some_kept(2, 6);
  auto prediction = target.clone();
  prediction.scatter_(1, kept.unsqueeze(-1).expand({2, 6, 8}), 100.0);
  CHECK(torch::equal(reconstruction_loss(prediction, target, kept), torch::zeros(2)));
}

TEST_CASE("the loss is the mean over the hidden patches and gives visible ones no gradient") {
  torch::manual_seed(12);
  const auto target = torch::zeros({2, 4, 2});
  const auto kept = torch::tensor({{0, 3}, {1, 2}});
  const auto prediction =
      torch::tensor({{{9., 9.}, {1., 2.}, {3., 4.}, {9., 9.}}, {{0., 2.}, {9., 9.}, {9., 9.}, {2., 0.}}},
                    torch::kFloat32)
          .requires_grad_();
  const auto losses = reconstruction_loss(prediction, target, kept);
  CHECK(close(losses, torch::tensor({(2.5 + 12.5) / 2, 2.0}, torch::kFloat32), 1e-6));
  losses.sum().backward();
  const auto reached = prediction.grad().abs().sum(-1).gt(0);
  CHECK(torch::equal(reached, torch::tensor({{false, true, true, false}, {true, false, false, true}})));
}

TEST_CASE("a patch's scale is its mean and the root of its sample variance") {
  const auto scale = patch_scale(torch::tensor({{{1.0, 2.0, 3.0, 6.0}, {5.0, 5.0, 5.0, 5.0}}}, torch::kFloat64));
  CHECK(close(scale.mean.flatten(), torch::tensor({3.0, 5.0}, torch::kFloat64), 1e-12));
  CHECK(close(scale.deviation.flatten(), torch::tensor({std::sqrt(14.0 / 3 + 1e-6), 1e-3}, torch::kFloat64), 1e-12));
}

TEST_CASE("the decoder is equivariant: tokens numbered otherwise give the same patches in that order") {
  torch::manual_seed(13);
  Decoder decoder(16, BlockOptions{.dim = 8, .heads = 1}, 2, /*cls_token=*/true, 5);
  decoder->to(torch::kFloat64);
  const TokenGrid grid{.bands = 3, .steps = 5};
  const auto latents = torch::randn({2, 7, 16}, torch::kFloat64), kept = some_kept(2, 6);
  const auto positions = sincos_2d(grid, 8);
  const Coordinates at = coordinates_of(grid);
  const auto with_cls = [](const torch::Tensor& c) { return torch::cat({torch::zeros({1}, torch::kFloat64), c}); };
  const auto rotation = [&](const torch::Tensor& order) {
    return rotation_at(with_cls(at.step.index({order})), with_cls(at.band.index({order})), 8, 100.0);
  };
  const auto same = torch::arange(15), order = torch::randperm(15);
  const auto number = torch::empty_like(order).scatter_(0, order, same);  // new number of each token
  const auto y = decoder->forward(latents, kept, positions, rotation(same));
  const auto moved = decoder->forward(latents, number.index({kept}), positions.index({order}), rotation(order));
  CHECK(close(moved, y.index_select(1, order), 1e-10));
  CHECK_FALSE(close(moved, y, 1e-2));
}

}  // namespace amae::audiomae_test
