// Classification metrics from predictions. K classes, N items.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

namespace amae {

struct ClassMetrics {
  std::string name;
  int64_t support = 0;
  double precision = 0, recall = 0, f1 = 0;  ///< 0 where the denominator is 0
};

struct Metrics {
  int64_t count = 0;
  double accuracy = 0;
  double accuracy_low = 0, accuracy_high = 0;  ///< 95 % interval: percentile bootstrap over groups, 2,000 draws, seeded
  double top5 = 0;                             ///< share with the true class among the five highest (all when K < 5)
  double macro_precision = 0, macro_recall = 0, macro_f1 = 0;  ///< over classes with support
  double mean_average_precision = 0;  ///< one-vs-rest, over classes with support (Davis & Goadrich interpolation: none)
  std::vector<ClassMetrics> per_class;
  std::vector<std::vector<int64_t>> confusion;  ///< [true][predicted]; empty for several labels a row
};

/// scores [N, K] float (higher is likelier; probabilities or logits), targets [N] int64. `groups` (N entries or empty:
/// each item alone) are resampled as wholes by the bootstrap. Ties go to the lowest class index.
Metrics single_label_metrics(const at::Tensor& scores, const at::Tensor& targets,
                             const std::vector<std::string>& classes, const std::vector<int64_t>& groups);

/// scores [N, K] probabilities, targets [N, K] of 0/1; precision, recall at 0.5; accuracy is the share of rows all
/// right.
Metrics multi_label_metrics(const at::Tensor& scores, const at::Tensor& targets,
                            const std::vector<std::string>& classes, const std::vector<int64_t>& groups);

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  ///< of a sample: sqrt(sum of squares / (n - 1)); 0 of a single value
};

/// Of one figure over runs, such as the accuracy of each fold; zeros when there is none.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

}  // namespace amae
