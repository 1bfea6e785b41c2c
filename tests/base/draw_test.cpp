#include "amae/draw.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

namespace amae {
namespace {

using Words = std::array<uint32_t, 4>;

// Seeds are fixed, so these checks pass or fail alike on every run. Where a mean of n numbers is compared, the
// tolerance is 5 standard errors: a sound generator is further off for one seed in 1.7 million.
constexpr int kCount = 100000;

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const std::function<double()>& next) {
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = next();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  return {mean, squares / kCount - mean * mean};
}

/// `kurtosis`: fourth central moment over the squared variance, which sets how far the sample variance scatters.
void check_moments(const Moments& got, double mean, double variance, double kurtosis) {
  CHECK(std::abs(got.mean - mean) < 5 * std::sqrt(variance / kCount));
  CHECK(std::abs(got.variance - variance) < 5 * variance * std::sqrt((kurtosis - 1) / kCount));
}

TEST_CASE("Philox4x32-10 gives the published numbers") {
  // Random123, tests/kat_vectors.
  CHECK(Draw::philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Draw::philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Draw::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a copy replays the stream from where it was taken") {
  Draw draw(1, 2, 3, 4);
  draw.uniform(), draw.bits();
  Draw copy = draw;
  for (int i = 0; i < 20; ++i) CHECK(draw.bits() == copy.bits());
}

TEST_CASE("each coordinate gives a stream of its own, with no relation to its neighbours") {
  const std::vector<std::pair<const char*, std::function<Draw(uint64_t)>>> coordinates = {
      {"seed", [](uint64_t i) { return Draw(i, 5, 6, 7); }},
      {"high half of the seed", [](uint64_t i) { return Draw(i << 32, 5, 6, 7); }},
      {"epoch", [](uint64_t i) { return Draw(5, i, 6, 7); }},
      {"sample", [](uint64_t i) { return Draw(5, 6, i, 7); }},
      {"high half of the sample", [](uint64_t i) { return Draw(5, 6, i << 32, 7); }},
      {"stage", [](uint64_t i) { return Draw(5, 6, 7, static_cast<uint32_t>(i)); }},
  };
  for (const auto& [name, stream] : coordinates) {
    INFO(name);
    uint64_t i = 0;
    check_moments(moments([&] { return stream(i++).uniform(); }), 0.5, 1.0 / 12, 1.8);
    i = 0;
    const Moments products = moments([&] {
      const double product = (stream(i).uniform() - 0.5) * (stream(i + 1).uniform() - 0.5);
      return ++i, product;
    });
    CHECK(std::abs(products.mean) < 5.0 / 12 / std::sqrt(kCount));  // a product of two centred uniforms has sd 1/12
    std::set<uint32_t> firsts;
    for (i = 0; i < 1000; ++i) firsts.insert(stream(i).bits());
    CHECK(firsts.size() == 1000);  // 1000 of 2^32: an equal pair is expected once in 8600 coordinates
  }
}

TEST_CASE("swapped coordinates do not give the same stream") {
  std::set<uint32_t> firsts;
  std::array<uint64_t, 4> c = {1, 2, 3, 4};
  do {
    firsts.insert(Draw(c[0], c[1], c[2], static_cast<uint32_t>(c[3])).bits());
  } while (std::next_permutation(c.begin(), c.end()));
  CHECK(firsts.size() == 24);
}

TEST_CASE("uniform numbers fill their half-open interval evenly") {
  Draw draw(1, 0, 0, 0);
  check_moments(moments([&] { return draw.uniform(); }), 0.5, 1.0 / 12, 1.8);
  double lowest = 1, highest = 0;
  std::array<int, 100> bins{};
  for (int i = 0; i < kCount; ++i) {
    const double value = draw.uniform();
    lowest = std::min(lowest, value), highest = std::max(highest, value);
    REQUIRE(value < 1.0);
    ++bins[static_cast<size_t>(value * 100)];
  }
  CHECK(lowest >= 0);
  CHECK(lowest < 1e-3);
  CHECK(highest > 1 - 1e-3);
  double chi_square = 0;
  for (const int n : bins) chi_square += std::pow(n - kCount / 100.0, 2) / (kCount / 100.0);
  CHECK(std::abs(chi_square - 99) < 5 * std::sqrt(2 * 99.0));
  for (int i = 0; i < 1000; ++i) {
    const double value = draw.uniform(-6, -5);
    REQUIRE((value >= -6 && value < -5));
  }
}

TEST_CASE("normal numbers have the normal distribution's first four moments") {
  Draw draw(2, 0, 0, 0);
  check_moments(moments([&] { return draw.normal(); }), 0, 1, 3);
  // Odd powers vanish; E x^4 = 3; the standard deviations of x^3 and x^4 are sqrt(15) and sqrt(96).
  CHECK(std::abs(moments([&] { return std::pow(draw.normal(), 3); }).mean) < 5 * std::sqrt(15.0 / kCount));
  CHECK(std::abs(moments([&] { return std::pow(draw.normal(), 4); }).mean - 3) < 5 * std::sqrt(96.0 / kCount));
}

TEST_CASE("gamma numbers have their mean and variance, with shapes below and above one") {
  for (const double shape : {0.2, 1.0, 3.5, 50.0}) {
    INFO(shape);
    Draw draw(3, 0, 0, 0);
    check_moments(moments([&] { return draw.gamma(shape); }), shape, shape, 3 + 6 / shape);
  }
}

TEST_CASE("beta numbers have their mean and variance, as flat as mixup wants them and as peaked") {
  for (const auto& [a, b] : std::vector<std::pair<double, double>>{{0.2, 0.2}, {1, 1}, {2, 5}, {8, 8}}) {
    INFO(a << ", " << b);
    Draw draw(4, 0, 0, 0);
    const double sum = a + b, variance = a * b / (sum * sum * (sum + 1));
    // No beta with these shapes has a kurtosis above the normal's.
    check_moments(moments([&] { return draw.beta(a, b); }), a / sum, variance, 3);
  }
  Draw draw(5, 0, 0, 0);
  for (int i = 0; i < 1000; ++i) {
    const double value = draw.beta(1e-4, 1e-4);  // both gammas underflow to 0
    REQUIRE((value >= 0 && value <= 1));
  }
}

TEST_CASE("integers reach both ends and no further, each equally often") {
  Draw draw(6, 0, 0, 0);
  std::array<int, 7> counts{};
  for (int i = 0; i < kCount; ++i) {
    const int64_t value = draw.integer(-3, 4);
    REQUIRE((value >= -3 && value < 4));
    ++counts[static_cast<size_t>(value + 3)];
  }
  for (const int n : counts) CHECK(std::abs(n - kCount / 7.0) < 5 * std::sqrt(kCount * (1.0 / 7) * (6.0 / 7)));
  CHECK(draw.integer(5, 6) == 5);
  const int64_t low = INT64_MIN, high = INT64_MAX;
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) (draw.integer(low, high) < 0 ? negative : positive) = true;
  CHECK((negative && positive));
}

TEST_CASE("a chance comes true as often as it says") {
  Draw draw(7, 0, 0, 0);
  check_moments(moments([&] { return draw.chance(0.3) ? 1.0 : 0.0; }), 0.3, 0.21, 1 / 0.21 - 3);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE_FALSE(draw.chance(0));
    REQUIRE(draw.chance(1));
  }
}

TEST_CASE("a permutation holds every number once, and all orders are equally likely") {
  Draw draw(8, 0, 0, 0);
  CHECK(draw.permutation(0).empty());
  auto order = draw.permutation(1000);
  CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<int64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(order == expected);
  std::map<std::vector<int64_t>, int> counts;
  for (int i = 0; i < kCount; ++i) ++counts[draw.permutation(4)];
  CHECK(counts.size() == 24);
  for (const auto& [permutation, n] : counts) {
    CHECK(std::abs(n - kCount / 24.0) < 5 * std::sqrt(kCount * (1.0 / 24) * (23.0 / 24)));
  }
}

}  // namespace
}  // namespace amae
