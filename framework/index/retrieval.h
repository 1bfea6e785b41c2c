// How well vectors find others of their class: the figures of similarity search, from queries, a gallery and labels.
//
// M queries, N gallery rows, D values a row.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "index/nearest_rows.h"

namespace amae {

/// Mean over the queries and its 95 % interval: percentile bootstrap over queries, 2,000 draws, seeded.
struct Interval {
  double value = 0, low = 0, high = 0;
};

/// For one query: rel(i) is 1 when the gallery row at rank i (from 1) has the query's label, else 0; R is the number of
/// such rows; P(i) = (rel(1) + ... + rel(i)) / i. All figures are means over the `queries`.
struct RetrievalMetrics {
  int64_t queries = 0;         ///< that were counted
  int64_t skipped = 0;         ///< queries without a label, or without a relevant gallery row; queries + skipped = M
  int64_t gallery = 0;         ///< N
  int64_t dimension = 0;       ///< D
  Interval hit1, hit5, hit10;  ///< 1 when rel(i) = 1 for some i <= min(k, N), else 0
  Interval precision10;        ///< P(min(10, N))
  Interval map10;              ///< (sum over i <= 10 of P(i) rel(i)) / min(10, R)
  Interval map_r;              ///< (sum over i <= R of P(i) rel(i)) / R. Musgrave, Belongie, Lim 2020, arXiv:2003.08505
  Interval mrr10;              ///< 1 / i of the first i <= 10 with rel(i) = 1, 0 when there is none
  Interval knn_accuracy;       ///< 1 when the nearest rows vote for the query's label, else 0; see RetrievalOptions
  double silhouette = 0;       ///< cosine, over the labelled rows of queries and gallery together
  double alignment = 0, uniformity = 0;  ///< Wang & Isola 2020 over the same rows; formulas in index/spread.h
};

struct RetrievalOptions {
  /// Nearest rows that vote, each for its label with weight max(similarity, 0). Rows without a label have no vote. Of
  /// classes with equal votes the lowest wins; when no row of the k has a label, the query counts as wrong.
  int64_t knn = 20;
  uint64_t seed = 0;  ///< of the bootstrap and of the sample below
  /// Silhouette, alignment and uniformity take a seeded sample of at most this many rows: the time grows with pairs.
  int64_t most_pairs_rows = 20'000;
};

/// queries [M, D] and gallery [N, D] of floats, one label each; a negative label is none: such gallery rows are never
/// relevant and such queries are skipped. Similarity is the cosine; a row of zeros has 0 to every other. Equally
/// similar gallery rows rank by lower position. A query that stands in the gallery too finds itself first: leave it
/// out. Gallery rows of the query's own item (`items`) are passed over: they have no rank and are not in its R; the
/// silhouette, alignment and uniformity are of all rows.
///
/// Exact search in bounded memory (index/nearest_rows.h). Throws std::invalid_argument for shapes, counts or options
/// that do not fit, DivergenceError for values that are not finite, Stopped between blocks.
RetrievalMetrics retrieval_metrics(const at::Tensor& queries, const std::vector<int64_t>& query_labels,
                                   const at::Tensor& gallery, const std::vector<int64_t>& gallery_labels,
                                   const RetrievalOptions& options, const RowItems& items = {});

/// The means with their names, in the order of tables: hit@1, hit@5, hit@10, precision@10, map@10, map@r, mrr@10,
/// knn_accuracy.
std::vector<std::pair<std::string, Interval>> named(const RetrievalMetrics& metrics);

}  // namespace amae
