#include "index/audit.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

#include "index/nearest_rows.h"
#include "index/postprocess.h"  // unit_rows

namespace amae {
namespace {

template <class T>
void require_entries(const char* name, const std::vector<T>& values, int64_t rows) {
  if (!values.empty() && values.size() != static_cast<size_t>(rows)) {
    throw std::invalid_argument(fmt::format("audit: got {} {} for {} rows", values.size(), name, rows));
  }
}

bool both_and_different(const std::vector<int64_t>& values, int64_t a, int64_t b) {
  if (values.empty()) return false;
  const int64_t x = values[static_cast<size_t>(a)], y = values[static_cast<size_t>(b)];
  return x >= 0 && y >= 0 && x != y;
}

bool same_content(const AuditInput& input, int64_t a, int64_t b) {
  if (input.contents.empty()) return false;
  const std::string& content = input.contents[static_cast<size_t>(a)];
  return !content.empty() && content == input.contents[static_cast<size_t>(b)];
}

AuditPair pair_of(const AuditInput& input, int64_t a, int64_t b, double similarity) {
  const auto [first, second] = std::minmax(a, b);
  return {first, second, similarity, both_and_different(input.folds, a, b), both_and_different(input.labels, a, b)};
}

bool worse_pair(const AuditPair& a, const AuditPair& b) {
  return std::tuple(b.in_two_folds, b.labels_differ, b.similarity, a.first, a.second) <
         std::tuple(a.in_two_folds, a.labels_differ, a.similarity, b.first, b.second);
}

bool worse_doubt(const LabelDoubt& a, const LabelDoubt& b) {
  return std::tuple(b.share - b.own_share, b.similarity, a.row) <
         std::tuple(a.share - a.own_share, a.similarity, b.row);
}

template <class T, class Worse>
void keep_worst(std::vector<T>& found, Worse worse, int64_t most) {
  std::sort(found.begin(), found.end(), worse);
  found.resize(std::min(found.size(), static_cast<size_t>(most)));
}

std::vector<AuditPair> identical_rows(const AuditInput& input, const at::Tensor& vectors, int64_t most) {
  std::vector<AuditPair> pairs;
  std::unordered_map<std::string, int64_t> firsts;
  for (size_t i = 0; i < input.contents.size(); ++i) {
    if (input.contents[i].empty()) continue;
    const auto row = static_cast<int64_t>(i);
    const auto [first, is_new] = firsts.emplace(input.contents[i], row);
    if (!is_new) pairs.push_back(pair_of(input, first->second, row, 0));
  }
  keep_worst(pairs, worse_pair, most);
  for (AuditPair& pair : pairs) {
    const auto direction = [&](int64_t row) { return unit_rows(vectors.narrow(0, row, 1).to(at::kDouble)); };
    pair.similarity = (direction(pair.first) * direction(pair.second)).sum().item<double>();
  }
  std::sort(pairs.begin(), pairs.end(), worse_pair);  // the similarity counts now
  return pairs;
}

std::optional<LabelDoubt> doubt_of(const AuditInput& input, int64_t row, const std::vector<NearRow>& nearest,
                                   double margin) {
  const int64_t own = input.labels[static_cast<size_t>(row)];
  if (own < 0) return std::nullopt;
  std::map<int64_t, double> votes;
  double all = 0;
  const NearRow* closest = nullptr;
  for (const NearRow& neighbour : nearest) {
    const int64_t label = input.labels[static_cast<size_t>(neighbour.row)];
    if (label < 0 || same_content(input, row, neighbour.row)) continue;
    if (closest == nullptr) closest = &neighbour;
    const double weight = std::max(0.0F, neighbour.similarity);
    votes[label] += weight;
    all += weight;
  }
  if (all == 0) return std::nullopt;
  LabelDoubt doubt{.row = row, .nearest = closest->row, .similarity = closest->similarity};
  for (const auto& [label, weight] : votes) {
    if (label == own) {
      doubt.own_share = weight / all;
    } else if (weight / all > doubt.share) {
      doubt.suggested = label;
      doubt.share = weight / all;
    }
  }
  return doubt.share - doubt.own_share >= margin ? std::optional(doubt) : std::nullopt;
}

}  // namespace

Audit audit_rows(const AuditInput& input, const AuditOptions& options,
                 const std::function<void(int64_t done, int64_t total)>& progress) {
  const at::Tensor vectors = checked_rows("audit", input.vectors);
  const int64_t rows = vectors.size(0);
  require_entries("labels", input.labels, rows);
  require_entries("folds", input.folds, rows);
  require_entries("contents", input.contents, rows);
  if (options.k < 1 || options.most < 0 || !(options.doubt_margin > 0)) {
    throw std::invalid_argument(
        fmt::format("audit: got k = {}, most = {}, doubt_margin = {}; expected at least 1, at least 0, above 0",
                    options.k, options.most, options.doubt_margin));
  }
  Audit audit;
  audit.identical_content = identical_rows(input, vectors, options.most);
  // One more than k: the row finds itself too, unless many equal rows stand before it.
  nearest_rows(vectors, vectors, std::min(options.k, rows) + 1, [&](int64_t row, std::vector<NearRow> nearest) {
    std::erase_if(nearest, [&](const NearRow& neighbour) { return neighbour.row == row; });
    nearest.resize(std::min(nearest.size(), static_cast<size_t>(options.k)));
    for (const NearRow& other : nearest) {
      if (other.similarity >= options.duplicate_similarity && !same_content(input, row, other.row)) {
        audit.near_duplicates.push_back(pair_of(input, row, other.row, other.similarity));
      }
    }
    if (!input.labels.empty()) {
      const auto doubt = doubt_of(input, row, nearest, options.doubt_margin);
      if (doubt) audit.label_doubts.push_back(*doubt);
    }
    if (progress) progress(row + 1, rows);
  });
  // A pair is found from both sides; their similarities are equal but for a rare last bit.
  auto& pairs = audit.near_duplicates;
  const auto ends = [](const AuditPair& pair) { return std::pair(pair.first, pair.second); };
  std::sort(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) { return ends(a) < ends(b); });
  pairs.erase(std::unique(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) { return ends(a) == ends(b); }),
              pairs.end());
  keep_worst(pairs, worse_pair, options.most);
  keep_worst(audit.label_doubts, worse_doubt, options.most);
  return audit;
}

}  // namespace amae
