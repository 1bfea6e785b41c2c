#include "train/schedule.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <stdexcept>

using namespace amae;
using Catch::Matchers::WithinAbs;

namespace {
constexpr double kRounding = 1e-12;  // a handful of double operations on numbers near 1
}

TEST_CASE("cosine with warm-up: start, peak, middle and end") {
  const ScheduleOptions o{.name = "cosine", .warmup = 0.1, .warmup_start = 0.2, .final_fraction = 0.01};
  const int64_t steps = 1001;  // warm-up ends at 100.1
  CHECK_THAT(learning_rate(o, 2.0, 0, steps), WithinAbs(0.4, kRounding));
  CHECK_THAT(learning_rate(o, 2.0, 50, steps), WithinAbs(2.0 * (0.2 + 0.8 * 50 / 100.1), kRounding));
  CHECK_THAT(learning_rate(o, 2.0, 1000, steps), WithinAbs(0.02, kRounding));
  // Half way down, 550.05: the mean of both ends; the slope there is about -0.0034 a step.
  CHECK_THAT(learning_rate(o, 2.0, 550, steps), WithinAbs(1.01, 0.001));
}

TEST_CASE("cosine is continuous: no step changes more than the steepest slope") {
  const ScheduleOptions o{.name = "cosine", .warmup = 0.05};
  const int64_t steps = 1000;
  double largest = 0;
  for (int64_t i = 0; i < steps; ++i) largest = std::max(largest, learning_rate(o, 1.0, i, steps));
  CHECK_THAT(largest, WithinAbs(1.0, 1e-4));
  for (int64_t i = 1; i < steps; ++i) {
    CAPTURE(i);
    CHECK(std::abs(learning_rate(o, 1.0, i, steps) - learning_rate(o, 1.0, i - 1, steps)) <= 1.0 / 50 + kRounding);
  }
}

TEST_CASE("cosine falls after the warm-up and never below its end") {
  const ScheduleOptions o{.name = "cosine", .warmup = 0.1, .final_fraction = 0.1};
  for (int64_t i = 21; i < 200; ++i) {
    CHECK(learning_rate(o, 1.0, i, 200) < learning_rate(o, 1.0, i - 1, 200));
    CHECK(learning_rate(o, 1.0, i, 200) >= 0.1 - kRounding);
  }
}

TEST_CASE("one_cycle gives the numbers of torch's OneCycleLR") {
  // max_lr 1, total_steps 10, pct_start 0.3, div_factor 25, anneal "cos", final lr 0.001: up from 0.04 over
  // steps 0..2 (0.3 * 10 - 1), down over steps 2..9. By hand: 0.04 + 0.96 * (1 - cos(pi/2)) / 2 = 0.52 at step 1, and
  // 0.001 + 0.999 * (1 + cos(pi * k / 7)) / 2 at step 2 + k.
  const ScheduleOptions o{.name = "one_cycle", .final_fraction = 0.001, .peak_at = 0.3, .start_fraction = 0.04};
  const double expected[] = {0.04,
                             0.52,
                             1.0,
                             0.9505339495172583,
                             0.8119331560284374,
                             0.611649206511179,
                             0.389350793488821,
                             0.18906684397156262,
                             0.05046605048274169,
                             0.001};
  for (int64_t i = 0; i < 10; ++i) {
    CAPTURE(i);
    CHECK_THAT(learning_rate(o, 1.0, i, 10), WithinAbs(expected[i], kRounding));
    CHECK_THAT(learning_rate(o, 0.002, i, 10), WithinAbs(0.002 * expected[i], kRounding));
  }
}

TEST_CASE("one_cycle with a peak between two steps follows torch: phases are not rounded") {
  // pct_start 0.25 of 10: the peak is at 1.5; step 2 is 0.5 / 7.5 of the way down.
  const ScheduleOptions o{.name = "one_cycle", .final_fraction = 0, .peak_at = 0.25, .start_fraction = 0.04};
  const double pi = std::acos(-1.0);
  CHECK_THAT(learning_rate(o, 1.0, 1, 10), WithinAbs(0.04 + 0.96 * (1 - std::cos(pi / 1.5)) / 2, kRounding));
  CHECK_THAT(learning_rate(o, 1.0, 2, 10), WithinAbs((1 + std::cos(pi / 15)) / 2, kRounding));
}

TEST_CASE("constant is constant after its warm-up") {
  const ScheduleOptions o{.name = "constant", .warmup = 0.5};
  CHECK(learning_rate(o, 0.3, 0, 10) == 0.0);
  CHECK_THAT(learning_rate(o, 0.3, 1, 10), WithinAbs(0.06, kRounding));
  for (int64_t i = 5; i < 10; ++i) CHECK(learning_rate(o, 0.3, i, 10) == 0.3);
}

TEST_CASE("the shortest runs and the borders of every option give finite rates between 0 and lr") {
  for (const char* name : {"constant", "cosine", "one_cycle"}) {
    for (const double part : {0.0, 0.5, 1.0}) {
      const ScheduleOptions o{.name = name,
                              .warmup = part,
                              .warmup_start = part,
                              .final_fraction = part,
                              .peak_at = part,
                              .start_fraction = part};
      for (const int64_t steps : {1, 2, 3}) {
        for (int64_t i = 0; i <= steps; ++i) {
          CAPTURE(name, part, steps, i);
          const double rate = learning_rate(o, 1.0, i, steps);
          CHECK(std::isfinite(rate));
          CHECK(rate >= 0.0);
          CHECK(rate <= 1.0 + kRounding);
        }
      }
    }
  }
}

TEST_CASE("steps outside the run are those at its ends, and a run without steps is refused") {
  const ScheduleOptions o{.name = "cosine", .warmup = 0.1, .final_fraction = 0.5};
  CHECK(learning_rate(o, 1.0, 500, 100) == learning_rate(o, 1.0, 99, 100));
  CHECK(learning_rate(o, 1.0, -1, 100) == learning_rate(o, 1.0, 0, 100));
  CHECK_THROWS_AS(learning_rate(o, 1.0, 0, 0), std::invalid_argument);
}
