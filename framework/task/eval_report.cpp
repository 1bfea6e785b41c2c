#include "task/eval_report.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/text.h"
#include "io/csv.h"
#include "report/plots.h"
#include "task/slices.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

/// The columns that are sliced stand at the end, under their own names but for those that are taken.
std::string predictions_csv(const Dataset& dataset, const Scores& scores, bool multi_label,
                            const std::vector<ColumnValues>& slices) {
  const auto& classes = dataset.classes();
  const std::vector<int64_t> folds = dataset.folds();
  const int64_t top = std::min<int64_t>(5, static_cast<int64_t>(classes.size()));
  std::vector<std::string> cells = {"id", "fold", "target", "loss"};
  for (int64_t k = 1; k <= top; ++k) {
    cells.push_back(fmt::format("predicted_{}", k));
    cells.push_back(fmt::format("score_{}", k));
  }
  for (const ColumnValues& column : slices) {
    const bool taken = std::find(cells.begin(), cells.end(), column.name) != cells.end();
    cells.push_back(taken ? "column_" + column.name : column.name);
  }
  std::string text = csv_line(cells);
  const auto [values, indices] = scores.probabilities.topk(top, 1);
  const auto value = values.accessor<float, 2>();
  const auto index = indices.accessor<int64_t, 2>();
  const auto p = scores.probabilities.accessor<float, 2>(), y = scores.targets.accessor<float, 2>();
  for (size_t i = 0; i < scores.rows.size(); ++i) {
    const int64_t row = scores.rows[i], n = static_cast<int64_t>(i);
    std::vector<std::string> targets;
    double loss = 0;
    for (size_t k = 0; k < classes.size(); ++k) {
      const double wanted = y[n][static_cast<int64_t>(k)], got = p[n][static_cast<int64_t>(k)];
      if (wanted > 0.5) targets.push_back(classes[k]);
      loss -= wanted * std::log(std::max(got, 1e-12));
      if (multi_label) loss -= (1 - wanted) * std::log(std::max(1 - got, 1e-12));
    }
    if (multi_label) loss /= static_cast<double>(classes.size());
    cells = {dataset.id(row), folds.empty() ? "" : std::to_string(folds[static_cast<size_t>(row)]), join(targets, ";"),
             fmt::format("{:.6f}", loss)};
    for (int64_t k = 0; k < top; ++k) {
      cells.push_back(classes[static_cast<size_t>(index[n][k])]);
      cells.push_back(fmt::format("{:.6f}", value[n][k]));
    }
    for (const ColumnValues& column : slices) {
      const int32_t at = column.index[static_cast<size_t>(row)];
      cells.push_back(at < 0 ? "" : column.texts[static_cast<size_t>(at)]);
    }
    text += csv_line(cells);
  }
  return text;
}

}  // namespace

nlohmann::ordered_json metrics_json(const Metrics& m) {
  return {{"count", m.count},
          {"accuracy", m.accuracy},
          {"accuracy_95", {m.accuracy_low, m.accuracy_high}},
          {"top5", m.top5},
          {"macro_precision", m.macro_precision},
          {"macro_recall", m.macro_recall},
          {"macro_f1", m.macro_f1},
          {"mean_average_precision", m.mean_average_precision}};
}

std::string confusion_csv(const std::vector<std::string>& classes, const std::vector<std::vector<int64_t>>& counts) {
  std::vector<std::string> cells = {"true \\ predicted"};
  cells.insert(cells.end(), classes.begin(), classes.end());
  std::string text = csv_line(cells);
  for (size_t i = 0; i < classes.size(); ++i) {
    cells = {classes[i]};
    for (const int64_t count : counts[i]) cells.push_back(std::to_string(count));
    text += csv_line(cells);
  }
  return text;
}

Metrics metrics_of(const Scores& scores, const std::vector<std::string>& classes, bool multi_label,
                   const std::vector<int64_t>& groups) {
  return multi_label ? multi_label_metrics(scores.probabilities, scores.targets, classes, groups)
                     : single_label_metrics(scores.probabilities, scores.targets.argmax(1), classes, groups);
}

Metrics write_eval_report(const fs::path& folder, const Dataset& dataset, const Scores& scores, bool multi_label,
                          const std::vector<ColumnValues>& slices, const nlohmann::ordered_json& extra) {
  fs::create_directories(folder);
  const auto& classes = dataset.classes();
  std::vector<int64_t> groups;
  if (const std::vector<int64_t> all = dataset.groups(); !all.empty()) {
    for (const int64_t row : scores.rows) groups.push_back(all[static_cast<size_t>(row)]);
  }
  const Metrics metrics = metrics_of(scores, classes, multi_label, groups);
  nlohmann::ordered_json json = metrics_json(metrics);
  json["loss"] = mean_log_loss(scores, multi_label);
  json.update(extra);
  const std::vector<SlicedColumn> sliced = slice(slices, scores, classes, multi_label, groups);
  if (!sliced.empty()) json["slices"] = slices_json(sliced);
  write_slices(folder, sliced);
  if (!multi_label) {
    json["confusion"] = metrics.confusion;
    write_file(folder / "confusion.csv", confusion_csv(classes, metrics.confusion));
    write_file(folder / "confusion.svg",
               confusion_svg(fmt::format("accuracy {:.3f}, {} items", metrics.accuracy, metrics.count), classes,
                             metrics.confusion));
  }
  std::string per_class = csv_line({"class", "support", "precision", "recall", "f1"});
  for (const ClassMetrics& c : metrics.per_class) {
    per_class += csv_line({c.name, std::to_string(c.support), fmt::format("{:.4f}", c.precision),
                           fmt::format("{:.4f}", c.recall), fmt::format("{:.4f}", c.f1)});
  }
  write_file(folder / "per_class.csv", per_class);
  write_file(folder / "predictions.csv", predictions_csv(dataset, scores, multi_label, slices));
  write_file(folder / "metrics.json", json.dump(2) + "\n");
  return metrics;
}

}  // namespace amae
