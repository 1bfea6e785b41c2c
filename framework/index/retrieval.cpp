#include "index/retrieval.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>

#include "amae/draw.h"
#include "index/postprocess.h"  // unit_rows
#include "index/spread.h"

namespace amae {
namespace {

constexpr uint32_t kQueryDrawStage = 0x52455431, kSpreadSampleStage = 0x52455432;  // their own random streams
constexpr int kQueryDraws = 2'000;

// In the order of named().
enum Figure : size_t { hit1, hit5, hit10, precision10, map10, map_r, mrr10, knn_accuracy, figure_count };
using Figures = std::array<double, figure_count>;

void require_one_each(const char* what, const char* name, const at::Tensor& rows, size_t count) {
  if (static_cast<size_t>(rows.size(0)) != count) {
    throw std::invalid_argument(fmt::format("retrieval: got {} {} for {} {}", count, what, rows.size(0), name));
  }
}

// For each query, how many gallery rows of other items have its label: R.
std::vector<int64_t> relevant_rows(const std::vector<int64_t>& query_labels, const std::vector<int64_t>& gallery_labels,
                                   const RowItems& items) {
  std::map<int64_t, int64_t> of_class;
  std::map<std::pair<int64_t, int64_t>, int64_t> of_item;  // by item and class
  for (size_t i = 0; i < gallery_labels.size(); ++i) {
    if (gallery_labels[i] < 0) continue;
    ++of_class[gallery_labels[i]];
    if (!items.gallery.empty()) ++of_item[{items.gallery[i], gallery_labels[i]}];
  }
  std::vector<int64_t> relevant;
  for (size_t i = 0; i < query_labels.size(); ++i) {
    const auto all = of_class.find(query_labels[i]);
    relevant.push_back(all == of_class.end() ? 0 : all->second);
    if (items.queries.empty()) continue;
    const auto own = of_item.find({items.queries[i], query_labels[i]});
    if (own != of_item.end()) relevant.back() -= own->second;
  }
  return relevant;
}

at::Tensor row_index(const std::vector<int64_t>& rows) { return at::tensor(at::ArrayRef<int64_t>(rows), at::kLong); }

// The class that the first k neighbours vote for, -1 when none of them has a label.
int64_t voted_class(const std::vector<NearRow>& nearest, const std::vector<int64_t>& labels, int64_t k) {
  std::map<int64_t, double> votes;
  for (size_t i = 0; i < std::min(nearest.size(), static_cast<size_t>(k)); ++i) {
    const int64_t label = labels[static_cast<size_t>(nearest[i].row)];
    if (label >= 0) votes[label] += std::max(0.0F, nearest[i].similarity);
  }
  // The first of the largest, which is the lowest class.
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? -1 : most->first;
}

// `nearest` reaches to rank 10, R = `relevant` and knn, as far as there are rows.
Figures figures_of(int64_t label, int64_t relevant, const std::vector<NearRow>& nearest,
                   const std::vector<int64_t>& labels, int64_t knn) {
  Figures figures{};
  int64_t found = 0, found_in_ten = 0;
  const auto deepest = std::min(static_cast<int64_t>(nearest.size()), std::max<int64_t>(10, relevant));
  for (int64_t rank = 1; rank <= deepest; ++rank) {
    if (labels[static_cast<size_t>(nearest[static_cast<size_t>(rank) - 1].row)] != label) continue;
    const double precision = static_cast<double>(++found) / static_cast<double>(rank);
    if (found == 1) {
      figures[hit1] = rank <= 1 ? 1 : 0;
      figures[hit5] = rank <= 5 ? 1 : 0;
      figures[hit10] = rank <= 10 ? 1 : 0;
      figures[mrr10] = rank <= 10 ? 1 / static_cast<double>(rank) : 0;
    }
    if (rank <= 10) {
      found_in_ten = found;
      figures[map10] += precision;
    }
    if (rank <= relevant) figures[map_r] += precision;
  }
  figures[precision10] = static_cast<double>(found_in_ten) / static_cast<double>(std::min<size_t>(10, nearest.size()));
  figures[map10] /= static_cast<double>(std::min<int64_t>(10, relevant));
  figures[map_r] /= static_cast<double>(relevant);
  figures[knn_accuracy] = voted_class(nearest, labels, knn) == label ? 1 : 0;
  return figures;
}

// Value at the share q of sorted numbers, linear between neighbours.
double value_at_share(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(std::floor(at));
  return std::lerp(sorted[low], sorted[std::min(low + 1, sorted.size() - 1)], at - std::floor(at));
}

// Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13. Every figure sees the same draws.
std::array<Interval, figure_count> intervals_of(const std::vector<Figures>& queries, uint64_t seed) {
  std::array<Interval, figure_count> out{};
  if (queries.empty()) return out;
  const auto count = static_cast<int64_t>(queries.size());
  std::array<std::vector<double>, figure_count> means;
  for (int b = 0; b < kQueryDraws; ++b) {
    Draw draw(seed, 0, static_cast<uint64_t>(b), kQueryDrawStage);
    Figures sums{};
    for (int64_t i = 0; i < count; ++i) {
      const Figures& drawn = queries[static_cast<size_t>(draw.integer(0, count))];
      for (size_t f = 0; f < figure_count; ++f) sums[f] += drawn[f];
    }
    for (size_t f = 0; f < figure_count; ++f) means[f].push_back(sums[f] / static_cast<double>(count));
  }
  for (size_t f = 0; f < figure_count; ++f) {
    std::sort(means[f].begin(), means[f].end());
    double sum = 0;
    for (const Figures& query : queries) sum += query[f];
    out[f] = {sum / static_cast<double>(count), value_at_share(means[f], 0.025), value_at_share(means[f], 0.975)};
  }
  return out;
}

// Of the labelled rows of both, queries first.
Spread spread_of_sample(const at::Tensor& queries, const std::vector<int64_t>& query_labels, const at::Tensor& gallery,
                        const std::vector<int64_t>& gallery_labels, const RetrievalOptions& options) {
  std::vector<int64_t> labelled, labels = query_labels;
  labels.insert(labels.end(), gallery_labels.begin(), gallery_labels.end());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0) labelled.push_back(static_cast<int64_t>(i));
  }
  const auto count = static_cast<int64_t>(labelled.size());
  std::vector<int64_t> chosen = labelled;
  if (count > options.most_pairs_rows) {
    const std::vector<int64_t> order = Draw(options.seed, 0, 0, kSpreadSampleStage).permutation(count);
    chosen.clear();
    for (int64_t i = 0; i < options.most_pairs_rows; ++i) {
      chosen.push_back(labelled[static_cast<size_t>(order[static_cast<size_t>(i)])]);
    }
    std::sort(chosen.begin(), chosen.end());
  }
  std::vector<int64_t> in_queries, in_gallery, chosen_labels;
  for (const int64_t row : chosen) {
    chosen_labels.push_back(labels[static_cast<size_t>(row)]);
    if (row < queries.size(0)) {
      in_queries.push_back(row);
    } else {
      in_gallery.push_back(row - queries.size(0));
    }
  }
  const at::Tensor sample = at::cat({queries.index_select(0, row_index(in_queries)).to(at::kDouble),
                                     gallery.index_select(0, row_index(in_gallery)).to(at::kDouble)});
  return spread_of(unit_rows(sample), chosen_labels);
}

}  // namespace

RetrievalMetrics retrieval_metrics(const at::Tensor& queries, const std::vector<int64_t>& query_labels,
                                   const at::Tensor& gallery, const std::vector<int64_t>& gallery_labels,
                                   const RetrievalOptions& options, const RowItems& items) {
  const at::Tensor asked = checked_rows("retrieval, queries", queries);
  const at::Tensor known = checked_rows("retrieval, gallery", gallery);
  require_one_each("labels", "queries", asked, query_labels.size());
  require_one_each("labels", "gallery rows", known, gallery_labels.size());
  if (!items.queries.empty() || !items.gallery.empty()) {
    require_one_each("items", "queries", asked, items.queries.size());
    require_one_each("items", "gallery rows", known, items.gallery.size());
  }
  if (asked.size(1) != known.size(1)) {
    throw std::invalid_argument(
        fmt::format("retrieval: got queries of {} values and a gallery of {}", asked.size(1), known.size(1)));
  }
  if (options.knn < 1 || options.most_pairs_rows < 2) {
    throw std::invalid_argument(fmt::format("retrieval: got knn = {}, most_pairs_rows = {}; expected at least 1 and 2",
                                            options.knn, options.most_pairs_rows));
  }
  const std::vector<int64_t> relevant = relevant_rows(query_labels, gallery_labels, items);
  std::vector<int64_t> counted;
  RowItems counted_items{{}, items.gallery};
  int64_t depth = std::max<int64_t>(10, options.knn);
  for (size_t i = 0; i < query_labels.size(); ++i) {
    if (relevant[i] == 0) continue;
    counted.push_back(static_cast<int64_t>(i));
    if (!items.queries.empty()) counted_items.queries.push_back(items.queries[i]);
    depth = std::max(depth, relevant[i]);
  }

  std::vector<Figures> figures;
  nearest_rows(asked.index_select(0, row_index(counted)), known, depth, counted_items,
               [&](int64_t query, const auto& nearest) {
                 const auto i = static_cast<size_t>(counted[static_cast<size_t>(query)]);
                 figures.push_back(figures_of(query_labels[i], relevant[i], nearest, gallery_labels, options.knn));
               });
  const auto intervals = intervals_of(figures, options.seed);
  const Spread spread = spread_of_sample(asked, query_labels, known, gallery_labels, options);
  return {.queries = static_cast<int64_t>(counted.size()),
          .skipped = asked.size(0) - static_cast<int64_t>(counted.size()),
          .gallery = known.size(0),
          .dimension = known.size(1),
          .hit1 = intervals[hit1],
          .hit5 = intervals[hit5],
          .hit10 = intervals[hit10],
          .precision10 = intervals[precision10],
          .map10 = intervals[map10],
          .map_r = intervals[map_r],
          .mrr10 = intervals[mrr10],
          .knn_accuracy = intervals[knn_accuracy],
          .silhouette = spread.silhouette,
          .alignment = spread.alignment,
          .uniformity = spread.uniformity};
}

std::vector<std::pair<std::string, Interval>> named(const RetrievalMetrics& metrics) {
  return {{"hit@1", metrics.hit1},   {"hit@5", metrics.hit5},
          {"hit@10", metrics.hit10}, {"precision@10", metrics.precision10},
          {"map@10", metrics.map10}, {"map@r", metrics.map_r},
          {"mrr@10", metrics.mrr10}, {"knn_accuracy", metrics.knn_accuracy}};
}

}  // namespace amae
