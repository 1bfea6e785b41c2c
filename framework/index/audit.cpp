#include "index/audit.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
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

bool same_item(const AuditInput& input, int64_t a, int64_t b) {
  return !input.items.empty() && input.items[static_cast<size_t>(a)] == input.items[static_cast<size_t>(b)];
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

AuditCount count_of(const std::vector<AuditPair>& pairs) {
  AuditCount count;
  for (const AuditPair& pair : pairs) {
    ++count.all;
    count.in_two_folds += pair.in_two_folds ? 1 : 0;
  }
  return count;
}

// Near duplicates as they are found. A low limit or large k can find billions: no more are held than some multiple of
// those that are kept in the end.
class NearPairs {
 public:
  NearPairs(const AuditInput& input, const AuditOptions& options, int64_t rows)
      : input_(input), options_(options), lasts_(static_cast<size_t>(rows)) {}

  // The neighbours of the rows, in the order of the rows.
  void add(int64_t row, const std::vector<NearRow>& nearest) {
    const bool is_full = std::ssize(nearest) == options_.k;
    lasts_[static_cast<size_t>(row)] = is_full ? nearest.back() : NearRow{0, -std::numeric_limits<float>::infinity()};
    for (const NearRow& other : nearest) {
      if (other.similarity < options_.duplicate_similarity || same_content(input_, row, other.row)) continue;
      pairs_.push_back(pair_of(input_, row, other.row, other.similarity));
      if (was_told(row, other)) continue;
      ++count_.all;
      count_.in_two_folds += pairs_.back().in_two_folds ? 1 : 0;
    }
    if (std::ssize(pairs_) < 4 * options_.most + kFew) return;
    merge();
    is_cut_ = is_cut_ || std::ssize(pairs_) > options_.most;
    keep_worst(pairs_, worse_pair, options_.most);
  }

  std::vector<AuditPair> take(AuditCount& count) {
    merge();
    count = is_cut_ ? count_ : count_of(pairs_);
    keep_worst(pairs_, worse_pair, options_.most);
    return std::move(pairs_);
  }

 private:
  static constexpr int64_t kFew = 4096;

  // Whether the other row, an earlier one, has `row` among its nearest too.
  [[nodiscard]] bool was_told(int64_t row, const NearRow& other) const {
    if (other.row > row) return false;
    const NearRow& last = lasts_[static_cast<size_t>(other.row)];
    return other.similarity > last.similarity || (other.similarity == last.similarity && row <= last.row);
  }

  // A pair is found from both sides; their similarities are equal but for a rare last bit.
  void merge() {
    const auto ends = [](const AuditPair& pair) { return std::pair(pair.first, pair.second); };
    std::sort(pairs_.begin(), pairs_.end(), [&](const auto& a, const auto& b) { return ends(a) < ends(b); });
    const auto same = [&](const auto& a, const auto& b) { return ends(a) == ends(b); };
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end(), same), pairs_.end());
  }

  const AuditInput& input_;
  const AuditOptions& options_;
  std::vector<AuditPair> pairs_;
  std::vector<NearRow> lasts_;  // of each row, its last neighbour
  AuditCount count_;            // each pair once
  bool is_cut_ = false;         // some are no longer held
};

std::vector<AuditPair> identical_rows(const AuditInput& input, const at::Tensor& vectors, int64_t most,
                                      AuditCount& count) {
  std::vector<AuditPair> pairs;
  std::unordered_map<std::string, int64_t> firsts;
  for (size_t i = 0; i < input.contents.size(); ++i) {
    if (input.contents[i].empty()) continue;
    const auto row = static_cast<int64_t>(i);
    const auto [first, is_new] = firsts.emplace(input.contents[i], row);
    if (!is_new && !same_item(input, first->second, row)) pairs.push_back(pair_of(input, first->second, row, 0));
  }
  count = count_of(pairs);
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
  require_entries("items", input.items, rows);
  if (options.k < 1 || options.most < 0 || !(options.doubt_margin > 0)) {
    throw std::invalid_argument(
        fmt::format("audit: got k = {}, most = {}, doubt_margin = {}; expected at least 1, at least 0, above 0",
                    options.k, options.most, options.doubt_margin));
  }
  Audit audit;
  audit.identical_content = identical_rows(input, vectors, options.most, audit.identical_count);
  RowItems items{input.items, input.items};
  if (input.items.empty()) {  // each row its own item: it does not find itself
    for (int64_t row = 0; row < rows; ++row) items.gallery.push_back(row);
    items.queries = items.gallery;
  }
  NearPairs near(input, options, rows);
  nearest_rows(vectors, vectors, options.k, items, [&](int64_t row, const std::vector<NearRow>& nearest) {
    near.add(row, nearest);
    if (!input.labels.empty()) {
      const auto doubt = doubt_of(input, row, nearest, options.doubt_margin);
      if (doubt) audit.label_doubts.push_back(*doubt);
    }
    if (progress) progress(row + 1, rows);
  });
  audit.near_duplicates = near.take(audit.near_count);
  audit.doubt_count = std::ssize(audit.label_doubts);
  keep_worst(audit.label_doubts, worse_doubt, options.most);
  return audit;
}

}  // namespace amae
