#include "index/spread.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "index/postprocess.h"  // unit_rows
#include "rows.h"

using namespace amae;
using namespace amae::index_test;
using Catch::Matchers::WithinAbs;

namespace {

Spread spread_over(const at::Tensor& x, const Labels& labels) {
  return spread_of(unit_rows(x.to(at::kDouble)), labels);
}

struct PlainSpread {
  double silhouette = 0, alignment = 0, uniformity = 0;
};

PlainSpread plain_spread(const at::Tensor& x, const Labels& labels) {
  const auto rows = plain_units(x);
  double silhouette = 0, alike = 0, alike_pairs = 0, near = 0, pairs = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::map<int64_t, double> distance, count;
    for (size_t j = 0; j < rows.size(); ++j) {
      if (i == j) continue;
      const double cosine = plain_cosine(rows[i], rows[j]);
      distance[labels[j]] += 1 - cosine;
      count[labels[j]] += 1;
      near += std::exp(-2 * (2 - 2 * cosine));
      pairs += 1;
      alike += labels[i] == labels[j] ? 2 - 2 * cosine : 0;
      alike_pairs += labels[i] == labels[j] ? 1 : 0;
    }
    if (count[labels[i]] == 0) continue;  // alone in its class: 0
    double other = std::numeric_limits<double>::max();
    for (const auto& [label, sum] : distance) {
      if (label != labels[i]) other = std::min(other, sum / count[label]);
    }
    const double inside = distance[labels[i]] / count[labels[i]];
    silhouette += (other - inside) / std::max(other, inside);
  }
  return {silhouette / static_cast<double>(rows.size()), alike / alike_pairs, std::log(near / pairs)};
}

}  // namespace

TEST_CASE("silhouette, alignment and uniformity equal plain loops over all pairs of rows") {
  at::manual_seed(12);
  const at::Tensor x = at::randn({2500, 6});  // more pairs than are looked at in one go
  Labels labels = random_labels(2500, 4);
  labels[7] = 99;  // alone in its class
  const Spread spread = spread_over(x, labels);
  const PlainSpread expected = plain_spread(x, labels);
  CHECK_THAT(spread.silhouette, WithinAbs(expected.silhouette, kSumError));
  CHECK_THAT(spread.alignment, WithinAbs(expected.alignment, 100 * kSumError));  // three million additions
  CHECK_THAT(spread.uniformity, WithinAbs(expected.uniformity, 100 * kSumError));
}

TEST_CASE("silhouette, alignment and uniformity of four directions equal a computation by hand") {
  // Class 0 at 0 and 60 degrees, class 1 at 180 and 240. Inside: 1 - cos 60 = 0.5. To the other class: rows at 0 and
  // 240 have 1 - (cos 180 + cos 120) / 2 = 1.75, those at 60 and 180 the same by symmetry.
  const Spread spread = spread_over(directions({0, 60, 180, 240}), {0, 0, 1, 1});
  CHECK_THAT(spread.silhouette, WithinAbs((1.75 - 0.5) / 1.75, kAngleError));
  CHECK_THAT(spread.alignment, WithinAbs(2 - 2 * 0.5, kAngleError));
  // |u - v|^2 of the six pairs: 1, 1, two of 4 at 180 degrees, two of 3 at 120.
  CHECK_THAT(spread.uniformity, WithinAbs(std::log((std::exp(-2) + std::exp(-8) + std::exp(-6)) / 3), kAngleError));
}

TEST_CASE("a row of zeros has cosine distance 1 to every other") {
  // Cosine distances: 1 between any two. |u - v|^2: 1 to the row of zeros, 2 between the others.
  const Spread spread = spread_over(at::tensor({1.F, 0.F, 0.F, 1.F, 0.F, 0.F}).view({3, 2}), {0, 0, 1});
  CHECK_THAT(spread.silhouette, WithinAbs(0, kSumError));
  CHECK_THAT(spread.alignment, WithinAbs(2, kSumError));
  CHECK_THAT(spread.uniformity, WithinAbs(std::log((std::exp(-4) + 2 * std::exp(-2)) / 3), kSumError));
}

TEST_CASE("vectors that are all the same have no silhouette") {
  Labels halves(100, 0);
  std::fill(halves.begin() + 40, halves.end(), 1);
  const Spread spread = spread_over(at::full({100, 3}, 0.3), halves);
  CHECK(spread.silhouette == 0);
  CHECK_THAT(spread.alignment, WithinAbs(0, kSumError));
  CHECK_THAT(spread.uniformity, WithinAbs(0, kSumError));
}

TEST_CASE("one class has no silhouette, single rows no alignment, one row no pairs") {
  CHECK(spread_over(directions({0, 90, 180}), {4, 4, 4}).silhouette == 0);
  CHECK(spread_over(directions({0, 90}), {0, 1}).silhouette == 0);
  CHECK(spread_over(directions({0, 90}), {0, 1}).alignment == 0);
  CHECK(spread_over(directions({0}), {0}).uniformity == 0);
  CHECK(spread_over(at::empty({0, 2}), {}).uniformity == 0);
}
