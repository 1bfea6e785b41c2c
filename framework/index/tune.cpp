#include "index/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/log.h"
#include "base/stop.h"

namespace amae {
namespace {

constexpr uint32_t kTuneStream = 0x1E;  // of Draw
constexpr int64_t kBatch = 256;
constexpr double kLittleGain = 5e-4;  // of recall, by twice the effort

template <class Work>
double milliseconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Neighbours of each query but itself, k of them.
std::vector<std::set<int64_t>> neighbours(const std::vector<std::vector<Hit>>& found, const std::vector<int64_t>& rows,
                                          int64_t k) {
  std::vector<std::set<int64_t>> sets(found.size());
  for (size_t q = 0; q < found.size(); ++q) {
    for (const Hit& hit : found[q]) {
      if (hit.row != rows[q] && std::ssize(sets[q]) < k) sets[q].insert(hit.row);
    }
  }
  return sets;
}

}  // namespace

Tuned tune_index(SearchIndex& index, const TuneOptions& options) {
  const int64_t total = index.rows(), k = options.k;
  if (k < 1 || k >= total) {
    throw InputError("QUERY", "", "-k",
                     fmt::format("got {}, expected 1 to {}: a row's neighbours are the others", k, total - 1));
  }
  std::vector<int64_t> rows = Draw(static_cast<uint64_t>(options.seed), 0, 0, kTuneStream).permutation(total);
  rows.resize(static_cast<size_t>(std::min(options.queries, total)));
  const at::Tensor queries = index.prepared(index.store().vectors(rows), "");
  const auto truth = neighbours(index.exact(queries, k + 1), rows, k);

  Tuned tuned;
  const bool has_effort = !index.faiss().effort_name().empty();
  for (int64_t effort = has_effort ? 1 : 0;; effort = std::min(2 * effort, index.faiss().most_effort())) {
    throw_if_stopped();
    if (has_effort) index.set_effort(effort);
    const auto found = neighbours(index.found(queries, k + 1), rows, k);
    TuneStep step{effort, 0, 0, 0};
    int64_t right = 0;
    for (size_t q = 0; q < truth.size(); ++q) {
      right += std::count_if(truth[q].begin(), truth[q].end(), [&](int64_t row) { return found[q].contains(row); });
    }
    step.recall = static_cast<double>(right) / static_cast<double>(k * std::ssize(truth));
    std::vector<double> single, batch;
    const int64_t batch_size = std::min<int64_t>(kBatch, queries.size(0));
    for (int64_t i = 0; i < std::min<int64_t>(50, queries.size(0)); ++i)
      single.push_back(milliseconds([&] { static_cast<void>(index.found(queries.narrow(0, i, 1), k)); }));
    for (int i = 0; i < 3; ++i)
      batch.push_back(milliseconds([&] { static_cast<void>(index.found(queries.narrow(0, 0, batch_size), k)); }));
    step.single_ms = median(single);
    step.batch_ms = median(batch) / static_cast<double>(batch_size);
    tuned.steps.push_back(step);
    if (has_effort) log::info("tune   {} {}: recall {:.4f}", index.faiss().effort_name(), effort, step.recall);
    if (tuned.chosen < 0 && step.recall >= options.target) tuned.chosen = std::ssize(tuned.steps) - 1;
    const auto count = std::ssize(tuned.steps);
    const auto gain = [&](int64_t i) { return tuned.steps[i].recall - tuned.steps[i - 1].recall; };
    // FAISS gives a graph at least k + 1 candidates, whatever the effort.
    const bool is_level =
        count >= 3 && effort > 4 * (k + 1) && gain(count - 1) < kLittleGain && gain(count - 2) < kLittleGain;
    if (!has_effort || effort >= index.faiss().most_effort() || step.recall >= 1 || is_level ||
        (tuned.chosen >= 0 && count >= tuned.chosen + 3))
      break;
  }
  return tuned;
}

}  // namespace amae
