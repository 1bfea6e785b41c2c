#include "task/fold_slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "io/csv.h"
#include "report/metrics.h"
#include "report/plots.h"
#include "task/slices.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

using Folds = std::vector<std::pair<std::string, ordered_json>>;

constexpr std::array<const char*, 7> kFigures = {
    "accuracy", "top5", "macro_precision", "macro_recall", "macro_f1", "mean_average_precision", "loss"};

/// The slices of one column in metrics.json, or null.
const ordered_json* slices_in(const ordered_json& metrics, const std::string& column) {
  const auto all = metrics.find("slices");
  if (all == metrics.end()) return nullptr;
  const auto one = all->find(column);
  return one == all->end() ? nullptr : &one->at("values");
}

/// One value of a column in the folds that judged rows of it.
struct Pooled {
  ordered_json value;
  std::vector<const ordered_json*> folds;

  [[nodiscard]] std::string text() const {
    if (value.is_null()) return "none";
    return value.is_string() ? value.get<std::string>() : number_text(value.get<double>());
  }
  [[nodiscard]] int64_t count() const {
    int64_t sum = 0;
    for (const ordered_json* fold : folds) sum += fold->at("count").get<int64_t>();
    return sum;
  }
  /// Over the rows of all folds.
  [[nodiscard]] double accuracy() const {
    double right = 0;
    for (const ordered_json* fold : folds)
      right += fold->at("accuracy").get<double>() * fold->at("count").get<double>();
    return right / static_cast<double>(count());
  }
  [[nodiscard]] MeanAndDeviation over_folds(const char* figure) const {
    std::vector<double> values;
    for (const ordered_json* fold : folds) values.push_back(fold->at(figure).get<double>());
    return mean_and_deviation(values);
  }
};

/// The order of a fold's own slices, of which another fold may lack some: numbers rising, texts, then null.
bool comes_before(const Pooled& a, const Pooled& b) {
  const auto rank = [](const ordered_json& value) {
    if (value.is_string()) return value == "-inf" ? 0 : 2;
    return value.is_number() ? 1 : 3;
  };
  if (rank(a.value) != rank(b.value)) return rank(a.value) < rank(b.value);
  if (a.value.is_number()) return a.value.get<double>() < b.value.get<double>();
  return a.value.is_string() && a.value.get<std::string>() < b.value.get<std::string>();
}

std::vector<Pooled> pooled_values(const Folds& folds, const std::string& column) {
  std::vector<Pooled> values;
  for (const auto& [name, metrics] : folds) {
    const ordered_json* slices = slices_in(metrics, column);
    if (slices == nullptr) continue;
    for (const ordered_json& one : *slices) {
      const ordered_json& value = one.at("value");
      auto at = std::find_if(values.begin(), values.end(), [&](const Pooled& known) { return known.value == value; });
      if (at == values.end()) at = values.insert(values.end(), Pooled{value, {}});
      at->folds.push_back(&one);
    }
  }
  std::stable_sort(values.begin(), values.end(), comes_before);
  return values;
}

double mean_over_values(const std::vector<Pooled>& values) {
  double sum = 0, count = 0;
  for (const Pooled& value : values) {
    if (value.value.is_null()) continue;
    sum += value.accuracy();
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

std::string fold_curves_svg(const std::string& column, const Folds& folds, const std::vector<Pooled>& values) {
  std::vector<Curve> curves = {{"all folds", {}, {}, true}};
  for (const Pooled& value : values) {
    if (!value.value.is_number()) continue;
    curves[0].x.push_back(value.value.get<double>());
    curves[0].y.push_back(value.accuracy());
  }
  for (const auto& [name, metrics] : folds) {
    const ordered_json* slices = slices_in(metrics, column);
    if (slices == nullptr) continue;
    Curve& curve = curves.emplace_back(Curve{"fold " + name, {}, {}});
    for (const ordered_json& one : *slices) {
      if (!one.at("value").is_number()) continue;
      curve.x.push_back(one.at("value").get<double>());
      curve.y.push_back(one.at("accuracy").get<double>());
    }
  }
  return line_chart_svg(
      fmt::format("Accuracy over {}: mean {:.3f}, {} folds", column, mean_over_values(values), curves.size() - 1),
      column, "accuracy", curves, {0, 1});
}

ordered_json json_of(const Pooled& value) {
  ordered_json json{
      {"value", value.value}, {"folds", value.folds.size()}, {"count", value.count()}, {"accuracy", value.accuracy()}};
  for (const char* figure : kFigures) json[std::string("mean_") + figure] = value.over_folds(figure).mean;
  json["sd_accuracy"] = value.over_folds("accuracy").deviation;
  return json;
}

}  // namespace

ordered_json write_fold_slices(const fs::path& run, const Folds& folds) {
  std::set<std::string> columns;
  for (const auto& [name, metrics] : folds) {
    if (!metrics.contains("slices")) continue;
    for (const auto& [column, slices] : metrics.at("slices").items()) columns.insert(column);
  }
  ordered_json json = ordered_json::object();
  if (columns.empty()) return json;
  std::vector<std::string> header = {"column", "value"}, files;
  std::string csv;
  for (const std::string& column : columns) {
    const std::vector<Pooled> values = pooled_values(folds, column);
    ordered_json list = ordered_json::array();
    bool is_numeric = false;
    for (const Pooled& value : values) {
      list.push_back(json_of(value));
      std::vector<std::string> cells = {column, value.text()};
      for (const auto& [figure, number] : list.back().items()) {
        if (figure == "value") continue;
        if (csv.empty()) header.push_back(figure);
        cells.push_back(number.is_number_float() ? fmt::format("{:.6f}", number.get<double>()) : number.dump());
      }
      if (csv.empty()) csv = csv_line(header);
      csv += csv_line(cells);
      is_numeric = is_numeric || value.value.is_number();
    }
    if (is_numeric) write_file(run / curve_file(column, files), fold_curves_svg(column, folds, values));
    json[column] = {{"mean_accuracy", mean_over_values(values)}, {"values", std::move(list)}};
  }
  write_file(run / "slices.csv", csv);
  return json;
}

}  // namespace amae
