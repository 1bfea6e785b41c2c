#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace amae {
namespace {

/// Half a cosine from `from` at t = 0 to `to` at t = 1.
double cosine(double from, double to, double t) {
  return to + (from - to) / 2.0 * (1.0 + std::cos(std::numbers::pi * t));
}

}  // namespace

void ScheduleOptions::describe(Fields& f) {
  f.add("name", name, "shape of the learning rate over the run").choices({"constant", "cosine", "one_cycle"});
  f.add("warmup", warmup, "constant, cosine: part of all steps with a linear rise").unit("fraction").range(0, 1);
  f.add("warmup_start", warmup_start, "lr at step 0 as a part of lr, when there is a warm-up")
      .unit("fraction")
      .range(0, 1);
  f.add("final_fraction", final_fraction, "cosine, one_cycle: lr at the last step as a part of lr")
      .unit("fraction")
      .range(0, 1);
  f.add("peak_at", peak_at, "one_cycle: part of all steps at which lr is reached").unit("fraction").range(0, 1);
  f.add("start_fraction", start_fraction, "one_cycle: lr at step 0 as a part of lr").unit("fraction").range(0, 1);
}

double learning_rate(const ScheduleOptions& options, double lr, int64_t step, int64_t steps) {
  if (steps < 1) throw std::invalid_argument("learning_rate: steps must be positive");
  const auto last = static_cast<double>(steps - 1);
  const double now = std::clamp(static_cast<double>(step), 0.0, last);
  const double end = lr * options.final_fraction;

  if (options.name == "one_cycle") {
    const double peak = options.peak_at * static_cast<double>(steps) - 1.0;  // as torch: not rounded
    if (now <= peak) return cosine(lr * options.start_fraction, lr, peak > 0 ? now / peak : 1.0);
    // peak may be below step 0 (torch would divide by zero there): then the run starts at lr.
    const double from = std::max(peak, 0.0);
    return cosine(lr, end, last > from ? (now - from) / (last - from) : 1.0);
  }

  // Not rounded to a step: the rate is then the same curve for any number of steps.
  const double warm = options.warmup * static_cast<double>(steps);
  if (now < warm) return lr * (options.warmup_start + (1.0 - options.warmup_start) * now / warm);
  if (options.name == "constant") return lr;
  if (options.name == "cosine") return cosine(lr, end, last > warm ? (now - warm) / (last - warm) : 0.0);
  throw std::invalid_argument("learning_rate: unknown schedule " + options.name);
}

}  // namespace amae
