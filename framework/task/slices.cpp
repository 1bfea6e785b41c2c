#include "task/slices.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/text.h"
#include "config/read.h"
#include "io/csv.h"
#include "report/plots.h"
#include "task/data_target.h"
#include "task/eval_report.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr size_t kMostValues = 100;  // of a column that nobody named
constexpr size_t kMostClassCurves = 30;

/// The scores at `places`, and the groups there.
struct Part {
  Scores scores;
  std::vector<int64_t> groups;

  Part(const Scores& all, const std::vector<int64_t>& all_groups, const std::vector<int64_t>& places) {
    const torch::Tensor index = torch::tensor(places, torch::kLong);
    for (const int64_t place : places) {
      scores.rows.push_back(all.rows[static_cast<size_t>(place)]);
      if (!all_groups.empty()) groups.push_back(all_groups[static_cast<size_t>(place)]);
    }
    scores.probabilities = all.probabilities.index_select(0, index);
    scores.targets = all.targets.index_select(0, index);
  }
};

Slice slice_of(const Part& part, const std::vector<std::string>& classes, bool multi_label) {
  Slice slice;
  slice.metrics = metrics_of(part.scores, classes, multi_label, part.groups);
  slice.loss = mean_log_loss(part.scores, multi_label);
  return slice;
}

void fill_means(SlicedColumn& column) {
  double sum = 0, right = 0, count = 0;
  int64_t values = 0;
  for (auto slice = column.slices.rbegin(); slice != column.slices.rend(); ++slice) {
    if (!slice->has_value) continue;
    sum += slice->metrics.accuracy;
    ++values;
    right += slice->metrics.accuracy * static_cast<double>(slice->metrics.count);
    count += static_cast<double>(slice->metrics.count);
    slice->accuracy_at_least = right / count;
  }
  column.mean_accuracy = values == 0 ? 0 : sum / static_cast<double>(values);
}

std::string figure(double value) { return fmt::format("{:.6f}", value); }

std::string curve_svg(const SlicedColumn& column) {
  Curve all{"all classes (95 % band)", {}, {}, true};
  std::vector<Curve> curves;
  int64_t count = 0, values = 0;
  for (const Slice& slice : column.slices) {
    if (!slice.has_value) continue;
    ++values;
    count += slice.metrics.count;
    all.x.push_back(slice.number);
    all.y.push_back(slice.metrics.accuracy);
    all.low.push_back(slice.metrics.accuracy_low);
    all.high.push_back(slice.metrics.accuracy_high);
    const std::vector<ClassMetrics>& per_class = slice.metrics.per_class;
    if (per_class.size() > kMostClassCurves || slice.metrics.confusion.empty()) continue;
    curves.resize(per_class.size());
    for (size_t k = 0; k < per_class.size(); ++k) {
      curves[k].name = per_class[k].name;
      curves[k].x.push_back(slice.number);
      curves[k].y.push_back(per_class[k].support > 0 ? per_class[k].recall : std::nan(""));
    }
  }
  curves.insert(curves.begin(), std::move(all));
  return line_chart_svg(fmt::format("Accuracy over {}: mean {:.3f} of {} value{}, {} items", column.name,
                                    column.mean_accuracy, values, values == 1 ? "" : "s", count),
                        column.name, curves.size() > 1 ? "accuracy; of a class: recall" : "accuracy", curves, {0, 1});
}

void remove_old(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> old = {folder / "slices.csv", folder / "slices_per_class.csv"};
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("accuracy_over_") && name.ends_with(".svg")) old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, ignored);
}

}  // namespace

std::vector<ColumnValues> slice_columns(const Plan& plan, const Dataset& dataset) {
  const std::vector<std::string>& names = plan.config.eval.slices;
  if (names == std::vector<std::string>{"auto"}) return columns_for_slices(dataset, kMostValues);
  return column_values(dataset, names, config::mark_of(*plan.tree, "eval.slices").text(), "eval.slices");
}

void check_slices(const Plan& plan, const Dataset& dataset) {
  if (plan.config.eval.slices != std::vector<std::string>{"auto"}) static_cast<void>(slice_columns(plan, dataset));
}

std::vector<SlicedColumn> slice(const std::vector<ColumnValues>& columns, const Scores& scores,
                                const std::vector<std::string>& classes, bool multi_label,
                                const std::vector<int64_t>& groups) {
  std::vector<SlicedColumn> sliced;
  for (const ColumnValues& column : columns) {
    std::vector<std::vector<int64_t>> places(column.size() + 1);  // the last: none
    for (size_t i = 0; i < scores.rows.size(); ++i) {
      const int32_t value = column.index[static_cast<size_t>(scores.rows[i])];
      places[value < 0 ? column.size() : static_cast<size_t>(value)].push_back(static_cast<int64_t>(i));
    }
    SlicedColumn& out = sliced.emplace_back();
    out.name = column.name;
    out.is_numeric = column.is_numeric;
    for (size_t value = 0; value < places.size(); ++value) {
      if (places[value].empty()) continue;
      Slice slice = slice_of(Part(scores, groups, places[value]), classes, multi_label);
      slice.has_value = value < column.size();
      slice.text = slice.has_value ? column.texts[value] : "none";
      if (slice.has_value && column.is_numeric) slice.number = column.numbers[value];
      out.slices.push_back(std::move(slice));
    }
    fill_means(out);
  }
  return sliced;
}

void write_slices(const fs::path& folder, const std::vector<SlicedColumn>& columns) {
  remove_old(folder);
  if (columns.empty()) return;
  std::string csv =
      csv_line({"column", "value", "count", "accuracy", "accuracy_low", "accuracy_high", "top5", "macro_precision",
                "macro_recall", "macro_f1", "mean_average_precision", "loss", "accuracy_at_least"});
  std::string per_class = csv_line({"column", "value", "class", "support", "precision", "recall", "f1"});
  std::vector<std::string> files;
  for (const SlicedColumn& column : columns) {
    for (const Slice& slice : column.slices) {
      const Metrics& m = slice.metrics;
      csv += csv_line({column.name, slice.text, std::to_string(m.count), figure(m.accuracy), figure(m.accuracy_low),
                       figure(m.accuracy_high), figure(m.top5), figure(m.macro_precision), figure(m.macro_recall),
                       figure(m.macro_f1), figure(m.mean_average_precision), figure(slice.loss),
                       column.is_numeric && slice.has_value ? figure(slice.accuracy_at_least) : ""});
      for (const ClassMetrics& c : m.per_class) {
        if (c.support == 0) continue;
        per_class += csv_line({column.name, slice.text, c.name, std::to_string(c.support), figure(c.precision),
                               figure(c.recall), figure(c.f1)});
      }
    }
    if (column.is_numeric) write_file(folder / curve_file(column.name, files), curve_svg(column));
  }
  write_file(folder / "slices.csv", csv);
  write_file(folder / "slices_per_class.csv", per_class);
}

ordered_json slices_json(const std::vector<SlicedColumn>& columns) {
  ordered_json json = ordered_json::object();
  for (const SlicedColumn& column : columns) {
    ordered_json values = ordered_json::array();
    for (const Slice& slice : column.slices) {
      ordered_json one{{"value", nullptr}};
      if (slice.has_value) one["value"] = slice.text;
      if (std::isfinite(slice.number)) one["value"] = slice.number;
      one.update(metrics_json(slice.metrics));
      one["loss"] = slice.loss;
      if (column.is_numeric && slice.has_value) one["accuracy_at_least"] = slice.accuracy_at_least;
      values.push_back(std::move(one));
    }
    json[column.name] = {{"mean_accuracy", column.mean_accuracy}, {"values", std::move(values)}};
  }
  return json;
}

std::string curve_file(const std::string& column, std::vector<std::string>& taken) {
  const std::string base = "accuracy_over_" + file_name_part(column);
  std::string name = base + ".svg";
  for (int copy = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++copy)
    name = fmt::format("{}-{}.svg", base, copy);
  taken.push_back(name);
  return name;
}

}  // namespace amae
