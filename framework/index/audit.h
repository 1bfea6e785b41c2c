// What neighbours tell of a data set: rows that stand in it twice and labels that their surroundings contradict.
//
// N rows, D values a row.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace amae {

struct AuditInput {
  at::Tensor vectors;                   ///< [N, D] of floats, such as embeddings
  std::vector<int64_t> labels{};        ///< N class indices, or empty; negative: none
  std::vector<int64_t> folds{};         ///< N, or empty; negative: none
  std::vector<std::string> contents{};  ///< N hashes of the data behind the rows, or empty; "": unknown
  std::vector<int64_t> items{};         ///< N items that the rows are of (index/nearest_rows.h), or empty: each its own
};

struct AuditOptions {
  int64_t k = 10;                       ///< neighbours of each row that are looked at, > 0
  double duplicate_similarity = 0.999;  ///< cosine of near duplicates, at least
  double doubt_margin = 0.2;            ///< share - own_share of a doubted label, at least; > 0
  int64_t most = 10'000;                ///< entries of each list, the worst ones
};

struct AuditPair {
  int64_t first = 0, second = 0;  ///< rows, first < second
  double similarity = 0;          ///< cosine
  bool in_two_folds = false;      ///< both have a fold, and not the same: what trains also tests
  bool labels_differ = false;     ///< both have a label, and not the same
};

struct LabelDoubt {
  int64_t row = 0;
  int64_t suggested = 0;  ///< the class other than the row's own that most of the neighbours' vote goes to
  double share = 0;       ///< of the vote for `suggested`, 0 to 1
  double own_share = 0;   ///< of the vote for the row's own class
  int64_t nearest = 0;    ///< row of the nearest neighbour that votes
  double similarity = 0;  ///< of that neighbour
};

/// How many pairs there are, listed or not.
struct AuditCount {
  int64_t all = 0, in_two_folds = 0;
};

/// Each list has at most AuditOptions::most entries.
struct Audit {
  /// Equal contents, each later row with the first of its kind. Both lists of pairs have the worst first: in two folds,
  /// then with different labels, then by similarity, then by row.
  std::vector<AuditPair> identical_content;
  /// Similarity of at least duplicate_similarity where one row is among the k nearest of the other; not those of
  /// identical content. In a crowd of more than k near duplicates some pairs are left out, but no row of it.
  std::vector<AuditPair> near_duplicates;
  std::vector<LabelDoubt> label_doubts;  ///< largest share - own_share first, then largest similarity, then by row
  AuditCount identical_count;
  AuditCount near_count;  ///< where far more than `most` are found, equal similarities may make it wrong by a few
  int64_t doubt_count = 0;
};

/// The neighbours are the k rows with the highest cosine, ties by lower row; a row is never its own neighbour, nor that
/// of another row of its item.
/// For label doubts each neighbour votes for its label with weight max(cosine, 0), except those without a label and
/// those of identical content, whose label is no second opinion; ties go to the lower class. Without labels there are
/// no doubts.
///
/// Exact: all N^2 similarities, in bounded memory (index/nearest_rows.h) whatever the options find. `progress` hears of
/// every row. Throws std::invalid_argument for counts or options that do not fit, DivergenceError for values that are
/// not finite, Stopped between blocks.
Audit audit_rows(const AuditInput& input, const AuditOptions& options,
                 const std::function<void(int64_t done, int64_t total)>& progress = {});

}  // namespace amae
