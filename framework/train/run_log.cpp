#include "train/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "amae/error.h"
#include "base/file.h"
#include "base/text.h"
#include "io/csv.h"
#include "io/png.h"
#include "io/tensorboard.h"

namespace amae {
namespace {

double wall_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string line_of(const Metric& m) {
  nlohmann::ordered_json json{{"wall", std::round(m.wall * 1e3) / 1e3},
                              {"step", m.step},
                              {"epoch", m.epoch},
                              {"split", m.split},
                              {"name", m.name},
                              {"value", m.value}};
  return json.dump() + "\n";
}

/// "reconstruction-0020.png" -> ("reconstruction", 19); an empty name for any other file.
std::pair<std::string, int64_t> picture_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  const size_t dash = stem.rfind('-');
  int64_t done = 0;
  if (file.extension() != ".png" || dash == std::string::npos) return {};
  const auto [end, error] = std::from_chars(stem.data() + dash + 1, stem.data() + stem.size(), done);
  if (error != std::errc() || end != stem.data() + stem.size() || done < 1) return {};
  return {stem.substr(0, dash), done - 1};
}

}  // namespace

std::vector<Metric> read_metrics(const std::filesystem::path& file) {
  std::vector<Metric> metrics;
  if (!std::filesystem::exists(file)) return metrics;
  const std::string text = read_file(file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn by a kill
    const auto json = nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                            text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    begin = end + 1;
    if (!json.is_object()) continue;
    const auto value = json.find("value");
    metrics.push_back({json.value("wall", 0.0), json.value("step", int64_t{0}), json.value("epoch", int64_t{0}),
                       json.value("split", ""), json.value("name", ""),
                       value != json.end() && value->is_number() ? value->get<double>() : std::nan("")});
  }
  return metrics;
}

RunLog::RunLog(std::filesystem::path run, bool tensorboard, int64_t keep_epochs) : run_(std::move(run)) {
  for (Metric& metric : read_metrics(run_ / "metrics.jsonl")) {
    if (metric.epoch < keep_epochs) metrics_.push_back(std::move(metric));
  }
  std::string kept;
  for (const Metric& metric : metrics_) kept += line_of(metric);
  write_file(run_ / "metrics.jsonl", kept);
  if (tensorboard) {
    std::filesystem::remove_all(run_ / "tb");  // TensorBoard would show points of before the resume twice
    events_ = std::make_unique<EventWriter>(run_ / "tb", wall_now());
    for (const Metric& metric : metrics_)
      events_->scalar(metric.split + "/" + metric.name, metric.step, metric.value, metric.wall);
  }
  keep_pictures(keep_epochs);
}

RunLog::~RunLog() = default;

void RunLog::add(int64_t step, int64_t epoch, const std::string& split, const std::string& name, double value) {
  metrics_.push_back({wall_now(), step, epoch, split, name, value});
  pending_ += line_of(metrics_.back());
  if (events_) events_->scalar(split + "/" + name, step, value, metrics_.back().wall);
}

void RunLog::keep_pictures(int64_t keep_epochs) {
  if (!std::filesystem::is_directory(run_ / "pictures")) return;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(run_ / "pictures")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto [name, epoch] = picture_of(file);
    if (name.empty()) continue;
    if (epoch >= keep_epochs) {
      std::filesystem::remove(file);
      continue;
    }
    const auto metric =
        std::find_if(metrics_.begin(), metrics_.end(), [e = epoch](const Metric& m) { return m.epoch == e; });
    if (!events_ || metric == metrics_.end()) continue;
    try {
      events_->image(name, metric->step, read_file(file), metric->wall);
    } catch (const std::invalid_argument&) {  // someone else's file: nothing to stop a run for
    }
  }
}

void RunLog::image(int64_t step, int64_t epoch, const std::string& name, const torch::Tensor& rgb) {
  const std::string png = png_bytes(rgb);
  std::filesystem::create_directories(run_ / "pictures");
  write_file(run_ / "pictures" / fmt::format("{}-{:04d}.png", name, epoch + 1), png);
  if (events_) events_->image(name, step, png, wall_now());
}

void RunLog::flush() {
  if (!pending_.empty()) append_file(run_ / "metrics.jsonl", pending_);
  pending_.clear();
  if (events_) events_->flush();

  std::vector<std::string> columns;
  std::map<int64_t, std::map<std::string, double>> table;  // epoch -> column -> value
  std::map<int64_t, int64_t> steps;
  for (const Metric& metric : metrics_) {
    const std::string column = metric.split + "/" + metric.name;
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    table[metric.epoch][column] = metric.value;
    steps[metric.epoch] = metric.step;
  }
  std::vector<std::string> cells = {"epoch", "step"};
  cells.insert(cells.end(), columns.begin(), columns.end());
  std::string text = csv_line(cells);
  for (const auto& [epoch, row] : table) {
    cells = {std::to_string(epoch), std::to_string(steps[epoch])};
    for (const std::string& column : columns) {
      const auto found = row.find(column);
      cells.push_back(found == row.end() ? "" : number_text(found->second));
    }
    text += csv_line(cells);
  }
  write_file(run_ / "metrics.csv", text);
}

}  // namespace amae
