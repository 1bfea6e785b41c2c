#include "report/metrics.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "amae/draw.h"
#include "amae/error.h"

namespace amae {
namespace {

constexpr int kBootstrapDraws = 2'000;
constexpr size_t kMaxResampledGroups = 100'000;
constexpr uint32_t kBootstrapStage = 0xB0075;  // its own random stream
constexpr double kNormal975 = 1.959963984540054;

// Checked scores on the CPU. double holds every float exactly, so order and ties stay.
at::Tensor checked_scores(const at::Tensor& scores, size_t classes, size_t groups) {
  if (!scores.defined() || scores.dim() != 2 || scores.size(1) != static_cast<int64_t>(classes) || classes == 0) {
    throw std::invalid_argument(fmt::format("metrics: expected scores [N, {}]", classes));
  }
  if (groups != 0 && groups != static_cast<size_t>(scores.size(0))) {
    throw std::invalid_argument(fmt::format("metrics: got {} groups for {} items", groups, scores.size(0)));
  }
  const at::Tensor values = scores.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* p = values.const_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (std::isnan(p[i])) {
      throw DivergenceError("", fmt::format("got nan as score of item {}, class {}, expected numbers",
                                            i / values.size(1), i % values.size(1)));
    }
  }
  return values;
}

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Value at the share q of sorted numbers, linear between neighbours.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(std::floor(at));
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - std::floor(at)) * (sorted[high] - sorted[low]);
}

struct Tally {
  int64_t right = 0, count = 0;
};

// Percentile bootstrap of sum(right) / sum(count) over groups drawn with replacement.
// Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; groups as in its cluster bootstrap.
std::pair<double, double> accuracy_interval(const std::vector<char>& right, const std::vector<int64_t>& groups) {
  std::vector<Tally> tallies;
  std::map<int64_t, size_t> place;
  int64_t right_total = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    const size_t at = groups.empty() ? i : place.emplace(groups[i], tallies.size()).first->second;
    if (at == tallies.size()) tallies.emplace_back();
    tallies[at].right += right[i];
    tallies[at].count += 1;
    right_total += right[i];
  }
  const auto n = static_cast<double>(tallies.size());
  const double accuracy = ratio(right_total, static_cast<int64_t>(right.size()));
  if (tallies.size() > kMaxResampledGroups) {
    // The limit that the bootstrap tends to (delta method for a ratio), since drawing would take minutes for millions.
    double square = 0;
    for (const Tally& t : tallies) {
      square += std::pow(static_cast<double>(t.right) - accuracy * static_cast<double>(t.count), 2);
    }
    const double half = kNormal975 * std::sqrt(square) / static_cast<double>(right.size());
    return {std::max(0.0, accuracy - half), std::min(1.0, accuracy + half)};
  }
  std::vector<double> drawn(kBootstrapDraws);
  for (int b = 0; b < kBootstrapDraws; ++b) {
    Draw draw(0, 0, static_cast<uint64_t>(b), kBootstrapStage);
    Tally sum;
    for (size_t k = 0; k < tallies.size(); ++k) {
      const Tally& t = tallies[static_cast<size_t>(draw.integer(0, static_cast<int64_t>(n)))];
      sum.right += t.right;
      sum.count += t.count;
    }
    drawn[static_cast<size_t>(b)] = ratio(sum.right, sum.count);
  }
  std::sort(drawn.begin(), drawn.end());
  return {quantile(drawn, 0.025), quantile(drawn, 0.975)};
}

// Sum over positives of the precision at their rank, by the number of positives. Equal scores rank by item index.
double average_precision(const at::TensorAccessor<double, 2>& scores, int64_t k, const std::vector<char>& positive) {
  std::vector<int64_t> order(positive.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a][k] > scores[b][k]; });
  double sum = 0;
  int64_t found = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    if (positive[static_cast<size_t>(order[rank])] == 0) continue;
    ++found;
    sum += ratio(found, static_cast<int64_t>(rank) + 1);
  }
  return found == 0 ? 0 : sum / static_cast<double>(found);
}

// Number of classes of a row that stand before class k: higher score, or equal and lower index.
int64_t rank_of(const at::TensorAccessor<double, 1>& row, int64_t k) {
  int64_t before = 0;
  for (int64_t j = 0; j < row.size(0); ++j) before += row[j] > row[k] || (row[j] == row[k] && j < k) ? 1 : 0;
  return before;
}

struct Counts {
  int64_t hit = 0, predicted = 0, support = 0;
};

void fill_classes(Metrics& metrics, const std::vector<std::string>& classes, const std::vector<Counts>& counts) {
  int64_t with_support = 0;
  for (size_t k = 0; k < classes.size(); ++k) {
    const Counts& c = counts[k];
    ClassMetrics m{classes[k], c.support, ratio(c.hit, c.predicted), ratio(c.hit, c.support),
                   ratio(2 * c.hit, c.predicted + c.support)};
    if (c.support > 0) {
      ++with_support;
      metrics.macro_precision += m.precision;
      metrics.macro_recall += m.recall;
      metrics.macro_f1 += m.f1;
    }
    metrics.per_class.push_back(std::move(m));
  }
  const auto n = static_cast<double>(std::max<int64_t>(with_support, 1));
  metrics.macro_precision /= n;
  metrics.macro_recall /= n;
  metrics.macro_f1 /= n;
  metrics.mean_average_precision /= n;
}

void fill_accuracy(Metrics& metrics, const std::vector<char>& right, const std::vector<int64_t>& groups) {
  metrics.count = static_cast<int64_t>(right.size());
  if (right.empty()) return;
  metrics.accuracy = ratio(std::count(right.begin(), right.end(), 1), metrics.count);
  std::tie(metrics.accuracy_low, metrics.accuracy_high) = accuracy_interval(right, groups);
}

}  // namespace

Metrics single_label_metrics(const at::Tensor& scores, const at::Tensor& targets,
                             const std::vector<std::string>& classes, const std::vector<int64_t>& groups) {
  const at::Tensor values = checked_scores(scores, classes.size(), groups.size());
  const auto n = values.size(0), k = values.size(1);
  if (!targets.defined() || targets.dim() != 1 || targets.size(0) != n || targets.scalar_type() != at::kLong) {
    throw std::invalid_argument(fmt::format("metrics: expected targets [{}] int64", n));
  }
  const at::Tensor labels = targets.cpu().contiguous();
  const auto score = values.accessor<double, 2>();
  const int64_t* truth = labels.const_data_ptr<int64_t>();

  Metrics metrics;
  metrics.confusion.assign(classes.size(), std::vector<int64_t>(classes.size(), 0));
  std::vector<Counts> counts(classes.size());
  std::vector<char> right(static_cast<size_t>(n));
  int64_t in_top5 = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (truth[i] < 0 || truth[i] >= k) {
      throw std::invalid_argument(
          fmt::format("metrics: got target {} for item {}, expected 0 to {}", truth[i], i, k - 1));
    }
    const auto row = score[i];
    int64_t best = 0;
    for (int64_t j = 1; j < k; ++j) best = row[j] > row[best] ? j : best;
    const auto t = static_cast<size_t>(truth[i]), p = static_cast<size_t>(best);
    ++metrics.confusion[t][p];
    ++counts[t].support;
    ++counts[p].predicted;
    if (t == p) ++counts[t].hit;
    right[static_cast<size_t>(i)] = t == p ? 1 : 0;
    if (rank_of(row, truth[i]) < 5) ++in_top5;
  }
  metrics.top5 = ratio(in_top5, n);
  std::vector<char> positive(static_cast<size_t>(n));
  for (int64_t c = 0; c < k; ++c) {
    if (counts[static_cast<size_t>(c)].support == 0) continue;
    for (int64_t i = 0; i < n; ++i) positive[static_cast<size_t>(i)] = truth[i] == c ? 1 : 0;
    metrics.mean_average_precision += average_precision(score, c, positive);
  }
  fill_classes(metrics, classes, counts);
  fill_accuracy(metrics, right, groups);
  return metrics;
}

// top5 here: of the rows with a label, the share with at least one of their classes among the five highest.
Metrics multi_label_metrics(const at::Tensor& scores, const at::Tensor& targets,
                            const std::vector<std::string>& classes, const std::vector<int64_t>& groups) {
  const at::Tensor values = checked_scores(scores, classes.size(), groups.size());
  if (!targets.defined() || targets.sizes() != values.sizes()) {
    throw std::invalid_argument("metrics: expected targets of the shape of scores");
  }
  const auto n = values.size(0), k = values.size(1);
  const at::Tensor labels = targets.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto score = values.accessor<double, 2>();
  const auto truth = labels.accessor<double, 2>();

  Metrics metrics;
  std::vector<Counts> counts(classes.size());
  std::vector<char> right(static_cast<size_t>(n), 1);
  int64_t labelled = 0, in_top5 = 0;
  for (int64_t i = 0; i < n; ++i) {
    bool has_label = false, top5 = false;
    for (int64_t c = 0; c < k; ++c) {
      if (truth[i][c] != 0 && truth[i][c] != 1) {
        throw std::invalid_argument(fmt::format("metrics: got target {} for item {}, expected 0 or 1", truth[i][c], i));
      }
      const bool is = truth[i][c] == 1, predicted = score[i][c] >= 0.5;
      Counts& count = counts[static_cast<size_t>(c)];
      count.support += is ? 1 : 0;
      count.predicted += predicted ? 1 : 0;
      count.hit += is && predicted ? 1 : 0;
      if (is != predicted) right[static_cast<size_t>(i)] = 0;
      has_label = has_label || is;
      top5 = top5 || (is && rank_of(score[i], c) < 5);
    }
    labelled += has_label ? 1 : 0;
    in_top5 += top5 ? 1 : 0;
  }
  metrics.top5 = ratio(in_top5, labelled);
  std::vector<char> positive(static_cast<size_t>(n));
  for (int64_t c = 0; c < k; ++c) {
    if (counts[static_cast<size_t>(c)].support == 0) continue;
    for (int64_t i = 0; i < n; ++i) positive[static_cast<size_t>(i)] = truth[i][c] == 1 ? 1 : 0;
    metrics.mean_average_precision += average_precision(score, c, positive);
  }
  fill_classes(metrics, classes, counts);
  fill_accuracy(metrics, right, groups);
  return metrics;
}

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  MeanAndDeviation out;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) out.mean += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / std::max(1.0, count - 1));
  return out;
}

}  // namespace amae
