#include "report/metrics.h"

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "amae/error.h"

using namespace amae;
using Catch::Matchers::WithinAbs;

namespace {

// A few additions and divisions in double: anything near machine precision passes, any other formula does not.
constexpr double kExact = 1e-12;

at::Tensor rows(const std::vector<std::vector<double>>& values) {
  at::Tensor out =
      at::empty({static_cast<int64_t>(values.size()), static_cast<int64_t>(values.at(0).size())}, at::kFloat);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values[i].size(); ++j) {
      out[static_cast<int64_t>(i)][static_cast<int64_t>(j)] = values[i][j];
    }
  }
  return out;
}

at::Tensor longs(const std::vector<int64_t>& values) { return at::tensor(at::ArrayRef<int64_t>(values), at::kLong); }

const std::vector<std::string> kThree = {"cat", "dog", "rain"};

}  // namespace

TEST_CASE("single-label metrics equal a computation by hand") {
  // Item 3 is a tie of classes 0 and 1 and goes to 0.
  const auto scores = rows({{.7, .2, .1}, {.1, .6, .3}, {.2, .5, .3}, {.4, .4, .2}});
  const Metrics m = single_label_metrics(scores, longs({0, 1, 2, 1}), kThree, {});
  CHECK(m.count == 4);
  CHECK(m.accuracy == 0.5);
  CHECK(m.confusion == std::vector<std::vector<int64_t>>{{1, 0, 0}, {1, 1, 0}, {0, 1, 0}});
  REQUIRE(m.per_class.size() == 3);
  CHECK(m.per_class[1].name == "dog");
  CHECK(m.per_class[0].support == 1);
  CHECK(m.per_class[1].support == 2);
  CHECK(m.per_class[0].precision == 0.5);
  CHECK(m.per_class[0].recall == 1.0);
  CHECK_THAT(m.per_class[0].f1, WithinAbs(2.0 / 3, kExact));
  CHECK(m.per_class[1].f1 == 0.5);
  CHECK(m.per_class[2].precision == 0);  // never predicted
  CHECK(m.per_class[2].f1 == 0);
  CHECK_THAT(m.macro_precision, WithinAbs(1.0 / 3, kExact));
  CHECK_THAT(m.macro_recall, WithinAbs(0.5, kExact));
  CHECK_THAT(m.macro_f1, WithinAbs(7.0 / 18, kExact));
  // cat: its item ranks first, 1. dog: ranks 1 and 3, (1/1 + 2/3) / 2. rain: tied with item 1, which comes first, 1/2.
  CHECK_THAT(m.mean_average_precision, WithinAbs((1.0 + 5.0 / 6 + 0.5) / 3, kExact));
  CHECK(m.top5 == 1.0);
}

TEST_CASE("classes without support stay out of the macro averages") {
  const auto scores = rows({{.7, .2, .1}, {.1, .6, .3}});
  const Metrics m = single_label_metrics(scores, longs({0, 1}), kThree, {});
  CHECK(m.macro_f1 == 1.0);
  CHECK(m.macro_precision == 1.0);
  CHECK(m.mean_average_precision == 1.0);
  CHECK(m.per_class[2].support == 0);
}

TEST_CASE("top5 counts the five highest, ties to the lowest index") {
  const std::vector<std::string> seven = {"a", "b", "c", "d", "e", "f", "g"};
  const auto scores =
      rows({{7, 6, 5, 4, 3, 2, 1}, {7, 6, 5, 4, 3, 2, 1}, {0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0}});
  const Metrics m = single_label_metrics(scores, longs({4, 5, 4, 5}), seven, {});
  CHECK(m.top5 == 0.5);
  CHECK(m.accuracy == 0);
}

TEST_CASE("logits and probabilities, strides and order of items give the same figures") {
  at::manual_seed(3);
  const auto logits = at::randn({200, 3});
  const auto targets = at::randint(0, 3, {200}, at::kLong);
  const Metrics a = single_label_metrics(logits, targets, kThree, {});
  const Metrics b = single_label_metrics(logits.t().contiguous().t(), targets, kThree, {});
  const Metrics c = single_label_metrics(logits.flip(0), targets.flip(0), kThree, {});
  CHECK(a.accuracy == b.accuracy);
  CHECK(a.confusion == c.confusion);
  CHECK(a.mean_average_precision == b.mean_average_precision);
  CHECK_THAT(a.mean_average_precision, WithinAbs(c.mean_average_precision, kExact));
  CHECK(single_label_metrics(at::softmax(logits.to(at::kDouble), 1), targets, kThree, {}).confusion == a.confusion);
}

TEST_CASE("the interval is the bootstrap's: near the binomial one, the same each time, wider for groups") {
  const int64_t n = 1000;
  at::Tensor scores = at::zeros({n, 2});
  std::vector<int64_t> groups;
  for (int64_t i = 0; i < n; ++i) {
    scores[i][(i / 10) % 5 == 0 ? 1 : 0] = 1.0;  // 80 % right, in runs of ten
    groups.push_back(i / 10);
  }
  const auto targets = at::zeros({n}, at::kLong);
  const Metrics alone = single_label_metrics(scores, targets, {"a", "b"}, {});
  // Normal approximation: 0.8 +- 1.96 sqrt(0.16 / n) = +- 0.0248. A quantile of 2,000 draws is itself uncertain by
  // about sd * sqrt(0.025 * 0.975 / 2000) / 0.0584 = 0.06 sd = 0.0008, and counts are steps of 0.001: four times that.
  CHECK_THAT(alone.accuracy_low, WithinAbs(0.8 - 0.0248, 0.004));
  CHECK_THAT(alone.accuracy_high, WithinAbs(0.8 + 0.0248, 0.004));
  const Metrics again = single_label_metrics(scores, targets, {"a", "b"}, {});
  CHECK(again.accuracy_low == alone.accuracy_low);
  CHECK(again.accuracy_high == alone.accuracy_high);
  // Ten equal items a group: as 100 items, +- 0.0784, steps of 0.01.
  const Metrics grouped = single_label_metrics(scores, targets, {"a", "b"}, groups);
  CHECK_THAT(grouped.accuracy_low, WithinAbs(0.8 - 0.0784, 0.015));
  CHECK_THAT(grouped.accuracy_high, WithinAbs(0.8 + 0.0784, 0.015));
}

TEST_CASE("beyond 100,000 groups the interval is the normal limit") {
  const int64_t n = 200'000;
  at::Tensor scores = at::zeros({n, 2});
  scores.slice(0, 0, n / 2).select(1, 1).fill_(1.0);
  const Metrics m = single_label_metrics(scores, at::zeros({n}, at::kLong), {"a", "b"}, {});
  const double half = 1.959963984540054 * std::sqrt(0.25 / static_cast<double>(n));
  CHECK_THAT(m.accuracy_low, WithinAbs(0.5 - half, 1e-9));
  CHECK_THAT(m.accuracy_high, WithinAbs(0.5 + half, 1e-9));
}

TEST_CASE("all right and all wrong have an interval of one point; nothing at all is zero") {
  const auto scores = rows({{1, 0, 0}, {1, 0, 0}});
  const Metrics right = single_label_metrics(scores, longs({0, 0}), kThree, {});
  CHECK(right.accuracy_low == 1.0);
  CHECK(right.accuracy_high == 1.0);
  const Metrics none = single_label_metrics(at::empty({0, 3}), longs({}), kThree, {});
  CHECK(none.count == 0);
  CHECK(none.accuracy == 0);
  CHECK(none.accuracy_high == 0);
  CHECK(none.per_class.size() == 3);
}

TEST_CASE("multi-label metrics equal a computation by hand") {
  const auto scores = rows({{.9, .5, .1}, {.4, .6, .2}, {.8, .1, .7}, {.2, .3, .4}});
  const auto targets = rows({{1, 1, 0}, {1, 1, 0}, {0, 0, 1}, {0, 0, 0}});
  const Metrics m = multi_label_metrics(scores, targets, kThree, {});
  CHECK(m.count == 4);
  CHECK(m.confusion.empty());
  CHECK(m.accuracy == 0.5);  // rows 0 and 3
  // cat: predicted 0, 2; true 0, 1. dog: predicted and true 0, 1. rain: predicted and true 2.
  CHECK(m.per_class[0].precision == 0.5);
  CHECK(m.per_class[0].recall == 0.5);
  CHECK(m.per_class[1].f1 == 1.0);
  CHECK(m.per_class[2].support == 1);
  CHECK_THAT(m.macro_f1, WithinAbs(2.5 / 3, kExact));
  // cat ranks: 0, 2, 1, 3 -> (1/1 + 2/3) / 2. dog: 1, 0 -> 1. rain: 2 -> 1.
  CHECK_THAT(m.mean_average_precision, WithinAbs((5.0 / 6 + 2) / 3, kExact));
  CHECK(m.top5 == 1.0);  // of the three rows with a label
}

TEST_CASE("what cannot be measured is refused") {
  const auto scores = at::zeros({2, 3});
  CHECK_THROWS_AS(single_label_metrics(scores, longs({0, 3}), kThree, {}), std::invalid_argument);
  CHECK_THROWS_AS(single_label_metrics(scores, longs({0, -1}), kThree, {}), std::invalid_argument);
  CHECK_THROWS_AS(single_label_metrics(scores, longs({0}), kThree, {}), std::invalid_argument);
  CHECK_THROWS_AS(single_label_metrics(scores, longs({0, 1}), {"a"}, {}), std::invalid_argument);
  CHECK_THROWS_AS(single_label_metrics(scores, longs({0, 1}), kThree, {1}), std::invalid_argument);
  CHECK_THROWS_AS(multi_label_metrics(scores, at::full({2, 3}, 0.5), kThree, {}), std::invalid_argument);
  CHECK_THROWS_AS(multi_label_metrics(scores, at::zeros({2, 2}), kThree, {}), std::invalid_argument);
  at::Tensor diverged = scores.clone();
  diverged[1][2] = std::numeric_limits<float>::quiet_NaN();
  try {
    single_label_metrics(diverged, longs({0, 1}), kThree, {});
    FAIL("nothing was refused");
  } catch (const DivergenceError& error) {
    CHECK(std::string(error.what()).find("item 1, class 2") != std::string::npos);
  }
}

TEST_CASE("mean and deviation over folds are those of a sample, and one fold has none") {
  const auto [mean, deviation] = mean_and_deviation({0.2, 0.4, 0.9});
  CHECK_THAT(mean, WithinAbs(0.5, kExact));
  CHECK_THAT(deviation, WithinAbs(std::sqrt((0.09 + 0.01 + 0.16) / 2), kExact));
  CHECK(mean_and_deviation({0.7}).mean == 0.7);
  CHECK(mean_and_deviation({0.7}).deviation == 0);
  CHECK(mean_and_deviation({}).mean == 0);
  CHECK(mean_and_deviation({}).deviation == 0);
}
