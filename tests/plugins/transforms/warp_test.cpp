#include "transforms/augment/warp.h"

#include <cmath>

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

/// Where each place of an axis of n shows its own number, so that a warped ramp is the map itself: [items, n].
at::Tensor shown_places(const WarpOptions& options, int64_t items, int64_t n, bool time) {
  const at::Tensor ramp = at::arange(n, at::kFloat);
  const at::Tensor x =
      time ? ramp.view({1, 1, 1, n}).expand({items, 1, 5, n}) : ramp.view({1, 1, n, 1}).expand({items, 1, n, 5});
  const at::Tensor y = applied(Warp(options), batch_of(x.contiguous())).x.select(1, 0);
  return time ? y.select(1, 0) : y.select(2, 0);
}

TEST_CASE("warp follows its law on both axes: ends stay, one point moves, all else is linear") {
  constexpr int64_t kItems = 100, kPlaces = 101;
  for (const bool time : {true, false}) {
    const WarpOptions options =
        time ? WarpOptions{.time = 0.15, .frequency = 0, .p = 1} : WarpOptions{.time = 0, .frequency = 0.15, .p = 1};
    const at::Tensor shown = shown_places(options, kItems, kPlaces, time) / 100;  // as shares of the axis
    double earliest = 0, latest = 0;
    for (int64_t i = 0; i < kItems; ++i) {
      INFO("item " << i << (time ? " in time" : " in frequency"));
      CHECK(shown[i][0].item<float>() == 0);
      CHECK(std::abs(shown[i][100].item<double>() - 1) < 1e-6);
      // The two slopes give back the point c and where it went, q: c = first q, 1 - c = second (1 - q).
      const double first = (shown[i][1] - shown[i][0]).item<double>() * 100;
      const double second = (shown[i][100] - shown[i][99]).item<double>() * 100;
      const double q = (second - 1) / (second - first), c = first * q;
      if (std::abs(first - 1) < 0.02) continue;  // hardly moved: the quotient is rounding
      CHECK(c > 0.249);
      CHECK(c < 0.751);
      CHECK(std::abs(c - q) < 0.151);
      earliest = std::min(earliest, q - c);
      latest = std::max(latest, q - c);
      for (int64_t j = 0; j <= 100; ++j) {
        const double at = static_cast<double>(j) / 100;
        const double expected = at <= q ? at * first : 1 - (1 - at) * second;
        CHECK(std::abs(shown[i][j].item<double>() - expected) < 1e-4);  // slopes were read from float32 values
      }
    }
    CHECK(earliest < -0.1);  // 100 draws leave an outer sixth empty with probability 1e-8
    CHECK(latest > 0.1);
  }
}

TEST_CASE("warp moves each item in its own way, and all its channels alike") {
  const at::Tensor one = testing::power({1, 1, 20, 30});
  const at::Tensor y = applied(Warp({.p = 1}), batch_of(one.expand({8, 2, 20, 30}).contiguous())).x;
  CHECK(at::equal(y.select(1, 0), y.select(1, 1)));
  for (int64_t i = 1; i < 8; ++i) CHECK_FALSE(at::equal(y[i], y[0]));
}

TEST_CASE("warp interpolates: it makes no value that lies outside of its neighbours") {
  const at::Tensor x = testing::power({20, 1, 16, 24});
  const at::Tensor y = applied(Warp({.time = 0.2, .frequency = 0.2, .p = 1}), batch_of(x)).x;
  CHECK(y.min().item<float>() >= x.min().item<float>());
  CHECK(y.max().item<float>() <= x.max().item<float>());
  CHECK_FALSE(at::equal(x, y));
}

TEST_CASE("warp by 0 is the identity, bit for bit, and so is a picture of one place") {
  const at::Tensor x = testing::noise({5, 2, 13, 29}), dot = testing::noise({5, 2, 1, 1});
  CHECK(at::equal(applied(Warp({.time = 0, .frequency = 0, .p = 1}), batch_of(x)).x, x));
  CHECK(at::equal(applied(Warp({.p = 1}), batch_of(dot)).x, dot));
}

TEST_CASE("warp acts on the share p of the examples and takes spectrograms only") {
  const at::Tensor x = testing::power({400, 1, 6, 10});
  const at::Tensor touched = (applied(Warp({.p = 0.25}), batch_of(x)).x != x).flatten(1).any(1);
  CHECK(std::abs(touched.sum().item<int64_t>() - 100) < 45);  // five standard deviations of B(400, 1/4)
  CHECK(testing::refused_field([] { (void)Warp({}).output({Domain::audio, {1, 9}, 1}, Mode::train); }) == "input");
}

}  // namespace
}  // namespace amae
