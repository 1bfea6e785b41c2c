#include "task/data_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <mutex>
#include <numeric>
#include <set>

#include "data/split.h"
#include "data/threads.h"
#include "report/plots.h"

namespace amae {
namespace {

/// What one header tells, small enough to keep for millions of rows.
struct RowSpec {
  float seconds = -1;  ///< -1: unknown
  int64_t samples = -1;
  int32_t channels = -1;
  double rate_hz = 0;
  bool readable = false;
};

std::vector<RowSpec> read_specs(const Dataset& dataset, const DataProgress& progress, DataInfo& info) {
  std::vector<RowSpec> specs(static_cast<size_t>(dataset.size()));
  std::map<int64_t, Problem> unreadable;
  std::mutex mutex;
  parallel_rows(
      dataset.size(), data_threads(),
      [&](int64_t row) {
        try {
          const Spec spec = dataset.row_spec(row);
          RowSpec& kept = specs[static_cast<size_t>(row)];
          kept.readable = true;
          kept.rate_hz = spec.rate_hz;
          if (spec.shape.size() >= 2) kept.channels = static_cast<int32_t>(spec.shape[0]);
          if (!spec.shape.empty()) kept.samples = spec.shape.back();
          if (spec.rate_hz > 0 && !spec.shape.empty() && spec.shape.back() >= 0)
            kept.seconds = static_cast<float>(static_cast<double>(spec.shape.back()) / spec.rate_hz);
        } catch (const InputError& error) {
          Problem problem = error.problems().front();
          problem.field = dataset.id(row);
          const std::lock_guard lock(mutex);
          unreadable.emplace(row, std::move(problem));
        }
      },
      progress);
  for (auto& [row, problem] : unreadable) info.unreadable.push_back(std::move(problem));
  return specs;
}

DataInfo::Durations durations_of(const std::vector<RowSpec>& specs) {
  std::vector<float> seconds;
  for (const RowSpec& spec : specs) {
    if (spec.seconds >= 0) seconds.push_back(spec.seconds);
  }
  DataInfo::Durations found;
  if (seconds.empty()) return found;
  std::sort(seconds.begin(), seconds.end());
  const size_t n = seconds.size();
  found.known = static_cast<int64_t>(n);
  found.total = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  found.shortest = static_cast<double>(seconds.front());
  found.median = (static_cast<double>(seconds[(n - 1) / 2]) + static_cast<double>(seconds[n / 2])) / 2;
  found.longest = static_cast<double>(seconds.back());
  return found;
}

DataInfo::Lengths lengths_of(const std::vector<RowSpec>& specs) {
  DataInfo::Lengths found;
  for (const RowSpec& spec : specs) {
    if (spec.samples < 0) continue;
    if (found.known++ == 0) found.shortest = found.longest = spec.samples;
    found.shortest = std::min(found.shortest, spec.samples);
    found.longest = std::max(found.longest, spec.samples);
  }
  return found;
}

void look_at_columns(const Dataset& dataset, DataInfo& info) {
  constexpr int64_t kExamples = 12;
  for (auto& [name, values] : dataset.columns()) {
    std::vector<double> sorted;
    std::copy_if(values.begin(), values.end(), std::back_inserter(sorted), [](double v) { return !std::isnan(v); });
    std::sort(sorted.begin(), sorted.end());
    DataInfo::Column column{name, true, 0, std::ssize(values) - std::ssize(sorted)};
    if (!sorted.empty()) column.lowest = sorted.front(), column.highest = sorted.back();
    column.distinct = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
    info.columns.push_back(std::move(column));
  }
  for (const auto& [name, texts] : dataset.text_columns()) {
    DataInfo::Column column{name, false};
    std::vector<bool> occurs(texts.values.size());  // a dictionary may hold more than the rows use
    for (const int32_t i : texts.index) {
      if (i < 0)
        ++column.missing;
      else
        occurs[static_cast<size_t>(i)] = true;
    }
    for (size_t i = 0; i < occurs.size(); ++i) {
      if (!occurs[i]) continue;
      if (++column.distinct <= kExamples) column.examples.push_back(texts.values[i]);
    }
    info.columns.push_back(std::move(column));
  }
}

void count_classes(const DataTarget& target, DataInfo& info) {
  info.classes = target.dataset->classes();
  info.several_labels = target.labels.defined() && target.labels.dim() == 2;
  info.folds = fold_numbers(*target.dataset);
  info.counts.assign(info.classes.size(), std::vector<int64_t>(std::max<size_t>(1, info.folds.size()), 0));
  for (int64_t row = 0; row < info.rows; ++row) {
    const std::vector<int64_t> classes = target.classes_of(row);
    if (classes.empty() && !info.classes.empty()) ++info.unlabelled;
    size_t column = 0;
    if (!target.folds.empty()) {
      const int64_t fold = target.folds[static_cast<size_t>(row)];
      column = static_cast<size_t>(std::lower_bound(info.folds.begin(), info.folds.end(), fold) - info.folds.begin());
    }
    for (const int64_t k : classes) ++info.counts[static_cast<size_t>(k)][column];
  }
}

}  // namespace

int64_t DataInfo::count_of(size_t k) const { return std::accumulate(counts[k].begin(), counts[k].end(), int64_t{0}); }

DataInfo data_info(const DataTarget& target, const DataProgress& progress) {
  DataInfo info;
  info.name = target.name;
  info.rows = target.dataset->size();
  info.domain = to_string(target.dataset->spec().domain);
  const std::vector<RowSpec> specs = read_specs(*target.dataset, progress, info);
  info.seconds = durations_of(specs);
  info.samples = lengths_of(specs);
  look_at_columns(*target.dataset, info);
  for (const RowSpec& spec : specs) {
    if (!spec.readable) continue;
    ++info.rates[spec.rate_hz];
    ++info.channels[spec.channels];
  }
  count_classes(target, info);
  info.groups = static_cast<int64_t>(std::set<int64_t>(target.groups.begin(), target.groups.end()).size());
  return info;
}

nlohmann::ordered_json to_json(const DataInfo& info) {
  using nlohmann::ordered_json;
  ordered_json json{
      {"dataset", info.name},
      {"rows", info.rows},
      {"domain", info.domain},
      {"seconds",
       {{"known", info.seconds.known},
        {"total", info.seconds.total},
        {"shortest", info.seconds.shortest},
        {"median", info.seconds.median},
        {"longest", info.seconds.longest}}},
      {"samples",
       {{"known", info.samples.known}, {"shortest", info.samples.shortest}, {"longest", info.samples.longest}}},
      {"rates", ordered_json::array()},
      {"channels", ordered_json::array()},  // not a plugin: a count
      {"groups", info.groups},
      {"folds", info.folds},
      {"several_labels", info.several_labels},
      {"unlabelled", info.unlabelled},
      {"classes", ordered_json::array()},
      {"columns", ordered_json::array()},
      {"unreadable", ordered_json::array()}};
  for (const auto& [rate, rows] : info.rates) json["rates"].push_back({{"rate_hz", rate}, {"rows", rows}});
  for (const auto& [count, rows] : info.channels)
    json["channels"].push_back({{"channels", count}, {"rows", rows}});  // not a plugin: a count
  for (size_t k = 0; k < info.classes.size(); ++k) {
    ordered_json item{{"name", info.classes[k]}, {"rows", info.count_of(k)}};
    if (!info.folds.empty()) item["by_fold"] = info.counts[k];
    json["classes"].push_back(std::move(item));
  }
  for (const DataInfo::Column& column : info.columns) {
    ordered_json item{{"name", column.name},
                      {"kind", column.is_numeric ? "number" : "text"},
                      {"distinct", column.distinct},
                      {"missing", column.missing}};
    if (column.is_numeric) {
      item["lowest"] = column.lowest;
      item["highest"] = column.highest;
    } else {
      item["examples"] = column.examples;
    }
    json["columns"].push_back(std::move(item));
  }
  for (const Problem& problem : info.unreadable)
    json["unreadable"].push_back({{"item", problem.field}, {"where", problem.where}, {"message", problem.message}});
  return json;
}

std::string counts_svg(const DataInfo& info) {
  std::vector<std::string> parts;
  for (const int64_t fold : info.folds) parts.push_back(fmt::format("fold {}", fold));
  if (parts.empty()) parts.emplace_back("rows");
  return stacked_bars_svg(fmt::format("{}: {} rows", info.name, info.rows), "rows", info.classes, parts, info.counts);
}

}  // namespace amae
