// channels, fixed_length, speed_views, random_view.
#include <cmath>
#include <numbers>

#include "testing.h"
#include "transforms/wave/channels.h"
#include "transforms/wave/fixed_length.h"
#include "transforms/wave/random_view.h"
#include "transforms/wave/speed_views.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::refused_field;

TEST_CASE("channels: mono is the mean, first is channel 0, keep keeps") {
  const at::Tensor x = testing::noise({2, 3, 10});
  CHECK(at::allclose(applied(Channels({.rule = "mono"}), batch_of(x)).x, x.mean(1, true)));
  CHECK(at::equal(applied(Channels({.rule = "first"}), batch_of(x)).x, x.narrow(1, 0, 1)));
  CHECK(at::equal(applied(Channels({.rule = "keep"}), batch_of(x)).x, x));
  CHECK(Channels({}).output({Domain::audio, {-1, 10}, 1}, Mode::eval).shape == std::vector<int64_t>{1, 10});
}

TEST_CASE("channels: a required count refuses others, when it is known and when it comes") {
  const Channels two({.rule = "keep", .count = 2});
  CHECK(two.output({Domain::audio, {-1, 10}, 1}, Mode::eval).shape == std::vector<int64_t>{2, 10});
  CHECK(refused_field([&] { (void)two.output({Domain::audio, {1, 10}, 1}, Mode::eval); }) == "input");
  CHECK(refused_field([&] { applied(two, batch_of(testing::noise({1, 3, 10}))); }) == "input");
  CHECK(refused_field([] { ChannelsOptions{.rule = "mono", .count = 2}.check(); }) == "count");
  CHECK(refused_field([] { (void)Channels({}).output({Domain::iq, {2, 10}, 1}, Mode::eval); }) == "input");
}

std::vector<float> fixed(int64_t n, int64_t target, const char* pad, const char* align) {
  const at::Tensor x = at::arange(1, n + 1, at::kFloat).view({1, 1, n});
  const FixedLength transform({.duration = static_cast<double>(target) / 100, .pad = pad, .align = align});
  const at::Tensor y = applied(transform, batch_of(x, 100)).x.contiguous();
  return {y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel()};
}

TEST_CASE("fixed_length pads and cuts as its options say") {
  using V = std::vector<float>;
  CHECK(fixed(3, 5, "zero", "start") == V{1, 2, 3, 0, 0});
  CHECK(fixed(3, 6, "zero", "center") == V{0, 1, 2, 3, 0, 0});
  CHECK(fixed(3, 8, "tile", "start") == V{1, 2, 3, 1, 2, 3, 1, 2});
  CHECK(fixed(3, 5, "tile", "center") == V{3, 1, 2, 3, 1});
  CHECK(fixed(3, 8, "reflect", "start") == V{1, 2, 3, 2, 1, 2, 3, 2});
  CHECK(fixed(3, 5, "reflect", "center") == V{2, 1, 2, 3, 2});
  CHECK(fixed(1, 3, "reflect", "start") == V{1, 1, 1});
  CHECK(fixed(5, 3, "zero", "start") == V{1, 2, 3});
  CHECK(fixed(5, 3, "zero", "center") == V{2, 3, 4});
  CHECK(fixed(4, 4, "tile", "center") == V{1, 2, 3, 4});
}

TEST_CASE("fixed_length needs a rate and something to repeat") {
  const FixedLength tile({.duration = 1, .pad = "tile"});
  CHECK(tile.output({Domain::iq, {2, -1}, 44100}, Mode::train).shape == std::vector<int64_t>{2, 44100});
  CHECK(tile.output({Domain::audio, {1, -1}, 0}, Mode::train).shape == std::vector<int64_t>{1, -1});
  CHECK(refused_field([&] { applied(tile, batch_of(at::zeros({1, 1, 0}), 100)); }) == "input");
  CHECK(refused_field([&] { applied(tile, batch_of(at::zeros({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([&] { (void)tile.output({Domain::audio, {1, 9}, 0.1}, Mode::eval); }) == "duration");
}

TEST_CASE("nearest_fraction finds the fraction that a speed means") {
  using P = std::pair<int64_t, int64_t>;
  CHECK(nearest_fraction(1, 1000) == P{1, 1});
  CHECK(nearest_fraction(0.8, 1000) == P{4, 5});
  CHECK(nearest_fraction(0.89, 1000) == P{89, 100});
  CHECK(nearest_fraction(1.12, 1000) == P{28, 25});
  CHECK(nearest_fraction(std::numbers::pi, 1000) == P{355, 113});
  CHECK(nearest_fraction(std::numbers::pi, 100) == P{311, 99});  // a semiconvergent
}

TEST_CASE("speed_views: row 0 is the clip, faster rows are higher and tiled, slower rows lower and cut") {
  constexpr int64_t kLength = 8000;
  constexpr double kCycles = 400;
  const at::Tensor time = at::arange(kLength, at::kFloat) / kLength;
  const at::Tensor x = (time * (2 * std::numbers::pi * kCycles)).sin().view({1, 1, kLength});
  const SpeedViews transform({.factors = {1, 0.8, 1.25}});
  const at::Tensor y = applied(transform, batch_of(x, 8000)).x;
  REQUIRE(y.sizes() == at::IntArrayRef({1, 3, kLength}));
  CHECK(at::equal(y[0][0], x[0][0]));
  const auto matches = [&](int64_t row, double factor, int64_t begin, int64_t end) {
    const at::Tensor expected = (time * (2 * std::numbers::pi * kCycles * factor)).sin();
    // The interior of one playing; ripple of the resampler is far below 1e-3.
    return (y[0][row] - expected).slice(0, begin, end).abs().max().item<double>() < 1e-3;
  };
  CHECK(matches(1, 0.8, 200, kLength));
  CHECK(matches(2, 1.25, 200, 6200));
  CHECK(
      at::equal(y[0][2].slice(0, 6400), y[0][2].slice(0, 0, 1600)));  // 8000 / 1.25 samples, then again from the start
}

TEST_CASE("speed_views wants 1 first and one channel") {
  CHECK(refused_field([] { SpeedViewsOptions{.factors = {0.8, 1}}.check(); }) == "factors");
  CHECK(refused_field([] { SpeedViewsOptions{.factors = {}}.check(); }) == "factors");
  SpeedViewsOptions{}.check();
  CHECK(refused_field([] { (void)SpeedViews({}).output({Domain::audio, {2, 10}, 1}, Mode::eval); }) == "input");
  CHECK(SpeedViews({}).output({Domain::audio, {1, 10}, 1}, Mode::eval).shape == std::vector<int64_t>{5, 10});
}

TEST_CASE("random_view shows every channel over the epochs, and the first in evaluation") {
  const at::Tensor x = at::arange(4, at::kFloat).view({1, 4, 1, 1}).expand({6, 4, 3, 5}).contiguous();
  std::vector<int> seen(4, 0);
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const at::Tensor y = applied(RandomView(), batch_of(x), testing::stage(7, epoch)).x;
    REQUIRE(y.sizes() == at::IntArrayRef({6, 1, 3, 5}));
    for (int64_t i = 0; i < 6; ++i) {
      CHECK((y[i] == y[i].flatten()[0]).all().item<bool>());
      ++seen[y[i].flatten()[0].item<int64_t>()];
    }
  }
  for (const int count : seen) CHECK(count > 10);  // of 120 draws, 30 expected: 5 deviations
  Batch eval = batch_of(x);
  RandomView().apply_eval(eval, 2, 4);
  CHECK(eval.x.abs().max().item<float>() == 0);
  CHECK(eval.x.sizes() == at::IntArrayRef({6, 1, 3, 5}));
}

}  // namespace
}  // namespace amae
