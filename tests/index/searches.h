// Indexes of every kind, and a search that compares one by one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "index/search_index.h"
#include "tests/index/stores.h"

namespace amae::index_test {

using Found = std::vector<std::vector<Hit>>;

inline const std::vector<std::string> kKinds = {"flat", "hnsw", "ivf_flat", "ivf_pq", "IVF4,SQ8"};

/// Options of one of kKinds, or another factory string, for a few hundred rows; all clusters are looked into.
inline IndexOptions small_index(const std::string& kind, const std::string& metric = "cosine",
                                const PostOptions& post = {}) {
  IndexOptions options;
  const bool is_type = kind == "flat" || kind == "hnsw" || kind == "ivf_flat" || kind == "ivf_pq";
  (is_type ? options.type : options.factory) = kind;
  options.metric = metric;
  options.post = post;
  options.links = 8;
  options.lists = options.probes = options.code_bytes = 4;
  return options;
}

/// Normal numbers scaled at random, around a point that is not zero, so that the metrics disagree. [count, width].
inline at::Tensor scattered(int64_t count, int64_t width, uint64_t seed) {
  at::manual_seed(seed);
  return (at::randn({count, width}) + at::linspace(-0.5, 0.5, width)) * (0.5 + at::rand({count, 1}));
}

inline SearchIndex index_of(const TestStore& store, const IndexOptions& options) {
  build_index(*store.open(), options, /*afresh=*/false);
  return SearchIndex(store.open());
}

/// All of `rows` (rows of x) by float64 loops, best first. x [N, W] and queries [M, W] as they are compared.
inline Found plain_search(const std::string& metric, const at::Tensor& x, const at::Tensor& queries,
                          const std::vector<int64_t>& rows) {
  const at::Tensor a = x.to(at::kDouble).contiguous(), b = queries.to(at::kDouble).contiguous();
  const bool is_l2 = metric == "l2";
  Found found;
  for (int64_t q = 0; q < b.size(0); ++q) {
    std::vector<std::pair<double, int64_t>> order;  // least first
    for (const int64_t row : rows) {
      const double *u = a.const_data_ptr<double>() + row * a.size(1), *v = b.const_data_ptr<double>() + q * b.size(1);
      double sum = 0;
      for (int64_t i = 0; i < a.size(1); ++i) sum += is_l2 ? (u[i] - v[i]) * (u[i] - v[i]) : -u[i] * v[i];
      order.emplace_back(is_l2 ? std::sqrt(sum) : sum, row);
    }
    std::sort(order.begin(), order.end());
    std::vector<Hit>& hits = found.emplace_back();
    for (const auto& [score, row] : order) hits.push_back({row, static_cast<float>(is_l2 ? score : -score)});
  }
  return found;
}

/// "none", or in words the first place where `got` is not, query by query, the first k of `expected`.
/// Scores may differ by `tolerance`: what float32 sums of some dozen products lose.
inline std::string difference(const Found& got, const Found& expected, size_t k, float tolerance = 1e-5F) {
  if (got.size() != expected.size()) return "the number of queries";
  for (size_t q = 0; q < got.size(); ++q) {
    if (got[q].size() != k || expected[q].size() < k)
      return "query " + std::to_string(q) + ": " + std::to_string(got[q].size()) + " hits";
    for (size_t i = 0; i < k; ++i) {
      const Hit &a = got[q][i], &b = expected[q][i];
      if (a.row == b.row && std::abs(a.score - b.score) <= tolerance) continue;
      return "query " + std::to_string(q) + ", rank " + std::to_string(i) + ": row " + std::to_string(a.row) + " (" +
             std::to_string(a.score) + "), expected " + std::to_string(b.row) + " (" + std::to_string(b.score) + ")";
    }
  }
  return "none";
}

inline bool same_bits(const Found& a, const Found& b) {
  const auto equal = [](const Hit& x, const Hit& y) { return x.row == y.row && x.score == y.score; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), equal);
  });
}

}  // namespace amae::index_test
