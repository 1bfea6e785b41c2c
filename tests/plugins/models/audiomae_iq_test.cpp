// AudioMAE++ over IQ frames [2, N]: both rows in a patch, one band, tokens over time.
#include <torch/optim/adamw.h>

#include <cmath>
#include <numbers>

#include "audiomae_support.h"

namespace amae::audiomae_test {
namespace {

const Spec kShortFrames{Domain::iq, {2, 32}, 0};
constexpr int64_t kIqTokens = 8;

AudioMaeOptions of_iq() {
  AudioMaeOptions o = tiny();
  o.patch_time = 4;
  o.rope = true;
  return o;
}

/// Tones of one frequency at random phases [items, 2, 32].
torch::Tensor tones(int64_t items) {
  const auto phase = torch::rand({items, 1}) * 2 * std::numbers::pi;
  const auto angle = torch::arange(32).view({1, 32}) * (2 * std::numbers::pi / 16) + phase;
  return torch::stack({angle.cos(), angle.sin()}, 1);
}

}  // namespace

TEST_CASE("a token of IQ sees the I and the Q of its own samples") {
  const auto net = build(of_iq(), kShortFrames);
  auto x = torch::zeros({1, 2, 32});
  const auto before = net->feature_maps(x)[0].second;  // [1, D, 1, steps]
  for (const int64_t row : {0, 1}) {
    auto other = x.clone();
    other[0][row][4 * 5 + 3] = 1.0;
    const auto changed = net->feature_maps(other)[0].second.ne(before).any(1)[0][0];
    CHECK(changed.sum().item<int64_t>() == 1);
    CHECK(changed[5].item<bool>());
  }
}

TEST_CASE("hidden pieces of IQ frames are learned: both rows of a tone come out in their places") {
  const auto net = build(of_iq(), kShortFrames);
  net->train();
  torch::optim::AdamW optimizer(net->parameters(), torch::optim::AdamWOptions(5e-3));
  for (int step = 0; step < 250; ++step) {
    optimizer.zero_grad();
    net->reconstruct(tones(32), some_kept(32, 4, kIqTokens)).losses.mean().backward();
    optimizer.step();
  }
  net->eval();
  const auto x = tones(16), kept = some_kept(16, 4, kIqTokens);
  const auto y = net->reconstruct(x, kept);
  // The power of each row is 1/2: a row in the other's place, or half a period late, would cost 1/2 and more.
  CHECK(y.losses.mean().item<float>() < 0.25F);
  // What was predicted where it was hidden stands at its own samples, in its own row.
  const auto hidden = torch::ones({16, kIqTokens}).scatter_(1, kept, 0.0).repeat_interleave(4, 1).unsqueeze(1);
  const auto errors = ((y.prediction - x).square() * hidden).sum({1, 2}) / (2 * hidden.sum({1, 2}));
  CHECK(torch::allclose(errors, y.losses.detach()));
  for (const auto& p : net->named_parameters()) {
    INFO(p.key());
    CHECK(p.value().grad().defined());
  }
}

TEST_CASE("the encoder over IQ has the same weights with and without its decoder, and takes longer frames") {
  const auto with = build(of_iq(), kShortFrames), without = build(of_iq(), kShortFrames, false);
  const auto x = torch::randn({3, 2, 32});
  CHECK(torch::equal(with->forward(x), without->forward(x)));
  CHECK(without->forward(torch::randn({3, 2, 1024})).sizes() == torch::IntArrayRef({3, 16}));
}

}  // namespace amae::audiomae_test
