// Learning-rate schedules as pure functions of the step, so that a resumed run needs no schedule state.
#pragma once

#include <cstdint>
#include <string>

#include "amae/options.h"

namespace amae {

struct ScheduleOptions {
  std::string name = "cosine";   ///< constant | cosine | one_cycle
  double warmup = 0.05;          ///< fraction of all steps with a linear rise from lr*warmup_start (constant, cosine)
  double warmup_start = 0.0;     ///< fraction of lr at step 0
  double final_fraction = 0.0;   ///< lr at the end as a fraction of lr (cosine, one_cycle)
  double peak_at = 0.3;          ///< one_cycle: fraction of all steps at which lr is reached (cosine up, cosine down)
  double start_fraction = 0.04;  ///< one_cycle: lr at step 0 as a fraction of lr
  void describe(Fields& f);
};

/// Learning rate at `step` (0-based) of `steps` (> 0). one_cycle follows torch's OneCycleLR with anneal "cos", two
/// phases, div_factor = 1 / start_fraction.
double learning_rate(const ScheduleOptions& options, double lr, int64_t step, int64_t steps);

}  // namespace amae
