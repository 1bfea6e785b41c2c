#include "train/masking.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

using namespace amae;

namespace {

const std::vector<std::string> kKinds = {"unstructured", "time", "frequency", "block"};

std::vector<int64_t> kept_of(const std::string& kind, double ratio, const TokenGrid& grid, uint64_t row = 0) {
  Draw draw(3, 0, row, 7);
  return draw_kept({kind, ratio}, grid, draw);
}

/// Visible tokens of each step (`by_step`) or band.
std::vector<int64_t> visible_in(const std::vector<int64_t>& kept, const TokenGrid& grid, bool by_step) {
  std::vector<int64_t> counts(static_cast<size_t>(by_step ? grid.steps : grid.bands), 0);
  for (const int64_t token : kept) ++counts[static_cast<size_t>(by_step ? token / grid.bands : token % grid.bands)];
  return counts;
}

/// Neighbours in the grid of which one is visible and the other hidden.
int64_t borders(const std::vector<int64_t>& kept, const TokenGrid& grid) {
  const std::set<int64_t> visible(kept.begin(), kept.end());
  int64_t count = 0;
  for (int64_t step = 0; step < grid.steps; ++step) {
    for (int64_t band = 0; band < grid.bands; ++band) {
      const int64_t token = step * grid.bands + band;
      if (step + 1 < grid.steps) count += visible.count(token) != visible.count(token + grid.bands) ? 1 : 0;
      if (band + 1 < grid.bands) count += visible.count(token) != visible.count(token + 1) ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("at ratio 0.8 a grid of 250 tokens keeps 50") {
  CHECK(kept_count(250, 0.8) == 50);
  CHECK(static_cast<int64_t>(250 * (1 - 0.8)) == 49);  // what it must not be
}

TEST_CASE("every decimal ratio keeps the share that one calculates by hand, rounded down") {
  int64_t wrong = 0;
  for (int64_t tokens = 2; tokens <= 600; ++tokens) {
    for (int64_t thousandths = 1; thousandths < 1000; ++thousandths) {
      const int64_t exact = std::clamp<int64_t>(tokens * (1000 - thousandths) / 1000, 1, tokens - 1);
      wrong += kept_count(tokens, static_cast<double>(thousandths) / 1000) == exact ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(kept_count(1'000'000, 0.123457) == 876'543);
  CHECK(kept_count(9'000'000, 0.99) == 90'000);
}

TEST_CASE("at least one token is visible and at least one is hidden") {
  CHECK(kept_count(2, 0.99) == 1);
  CHECK(kept_count(2, 0.01) == 1);
  CHECK(kept_count(10, 0.99) == 1);
  CHECK(kept_count(10, 0.01) == 9);
  CHECK_THROWS_AS(kept_count(1, 0.5), std::invalid_argument);
  CHECK_THROWS_AS(kept_count(0, 0.5), std::invalid_argument);
}

TEST_CASE("a mask of any kind is ascending, distinct, within the grid and exact in number") {
  for (const std::string& kind : kKinds) {
    for (const TokenGrid grid :
         {TokenGrid{5, 50}, TokenGrid{1, 64}, TokenGrid{16, 1}, TokenGrid{2, 1}, TokenGrid{3, 7}, TokenGrid{8, 64}}) {
      for (const double ratio : {0.01, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.99}) {
        for (uint64_t row = 0; row < 5; ++row) {
          INFO(kind << ", " << grid.bands << " x " << grid.steps << ", ratio " << ratio << ", row " << row);
          const std::vector<int64_t> kept = kept_of(kind, ratio, grid, row);
          REQUIRE(static_cast<int64_t>(kept.size()) == kept_count(grid.size(), ratio));
          REQUIRE(std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end());
          REQUIRE(kept.front() >= 0);
          REQUIRE(kept.back() < grid.size());
        }
      }
    }
  }
}

TEST_CASE("time masks hide whole steps and frequency masks whole bands, all but one") {
  const TokenGrid grid{5, 50};
  for (const bool by_step : {true, false}) {
    for (const double ratio : {0.3, 0.55, 0.8}) {
      for (uint64_t row = 0; row < 50; ++row) {
        const auto kept = kept_of(by_step ? "time" : "frequency", ratio, grid, row);
        const int64_t whole = by_step ? grid.bands : grid.steps;
        const std::vector<int64_t> counts = visible_in(kept, grid, by_step);
        const auto partial = std::count_if(counts.begin(), counts.end(), [&](int64_t n) { return n > 0 && n < whole; });
        INFO("by step " << by_step << ", ratio " << ratio << ", row " << row);
        REQUIRE(partial == ((grid.size() - static_cast<int64_t>(kept.size())) % whole == 0 ? 0 : 1));
      }
    }
  }
}

TEST_CASE("block masks hide neighbours together") {
  const TokenGrid grid{8, 64};
  int64_t of_blocks = 0, of_single_tokens = 0;
  for (uint64_t row = 0; row < 100; ++row) {
    of_blocks += borders(kept_of("block", 0.6, grid, row), grid);
    of_single_tokens += borders(kept_of("unstructured", 0.6, grid, row), grid);
  }
  CHECK(of_blocks > 0);
  CHECK(3 * of_blocks < of_single_tokens);
}

// The counts of draws without replacement vary less than independent ones by (L - K) / (L - 1); scaled by that the sum
// is chi-square with L - 1 = 19 degrees of freedom: above 43.8 in one of a thousand seeds. This one is fixed.
TEST_CASE("an unstructured mask shows every token equally often") {
  constexpr int64_t kTokens = 20, kKept = 5, kDraws = 8000;
  std::vector<double> counts(kTokens, 0);
  for (uint64_t row = 0; row < kDraws; ++row) {
    for (const int64_t token : kept_of("unstructured", 0.75, {4, 5}, row)) ++counts[static_cast<size_t>(token)];
  }
  const double expected = static_cast<double>(kDraws) * kKept / kTokens;
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  chi_square *= static_cast<double>(kTokens - 1) / (kTokens - kKept);
  CHECK(chi_square < 43.8);
  CHECK(chi_square > 3.9);  // nor more even than chance: below this in one of ten thousand
}

TEST_CASE("every token of the grid is hidden now and then, whatever the kind") {
  const TokenGrid grid{5, 12};
  for (const std::string& kind : kKinds) {
    std::vector<int64_t> shown(static_cast<size_t>(grid.size()), 0);
    for (uint64_t row = 0; row < 400; ++row) {
      for (const int64_t token : kept_of(kind, 0.5, grid, row)) ++shown[static_cast<size_t>(token)];
    }
    INFO(kind);
    CHECK(*std::min_element(shown.begin(), shown.end()) > 40);
    CHECK(*std::max_element(shown.begin(), shown.end()) < 360);
  }
}

TEST_CASE("a mask is a function of its draw") {
  for (const std::string& kind : kKinds) {
    INFO(kind);
    CHECK(kept_of(kind, 0.7, {5, 50}, 4) == kept_of(kind, 0.7, {5, 50}, 4));
    CHECK(kept_of(kind, 0.7, {5, 50}, 4) != kept_of(kind, 0.7, {5, 50}, 5));
  }
}
