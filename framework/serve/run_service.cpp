#include "serve/run_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "base/file.h"
#include "base/text.h"
#include "task/run_folder.h"
#include "train/run_log.h"

namespace amae::serve {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
using std::chrono::steady_clock;

namespace {

constexpr int kDepth = 4;           // NAME/TIME/folds/1
constexpr size_t kMostRuns = 1000;  // of those that a list shows, the newest
constexpr size_t kMostFollowers = 64;
constexpr std::chrono::milliseconds kLookEvery{300}, kPulseEvery{10'000};
constexpr size_t kMostAtOnce = 256 << 10;  // bytes of metrics.jsonl that one look sends on

void find_runs(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  std::error_code error;
  if (fs::is_regular_file(folder / "run.json", error)) found.push_back(folder);
  if (depth == 0) return;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (at->is_symlink(ignored) || !at->is_directory(ignored) || name.starts_with('.')) continue;
    if (name != "checkpoints" && name != "tb" && name != "eval" && name != "plots")
      find_runs(at->path(), depth - 1, found);
  }
}

ordered_json metric_json(const Metric& metric) {
  return {{"step", metric.step},
          {"epoch", metric.epoch},
          {"split", metric.split},
          {"name", metric.name},
          {"value", std::isfinite(metric.value) ? ordered_json(metric.value) : ordered_json(nullptr)}};
}

std::string state_of(const fs::path& run) {
  const ordered_json json = read_run_json(run);
  return json.is_object() ? json.value("state", "unknown") : "unknown";
}

ordered_json summary(const fs::path& run, const std::string& id, const std::vector<Metric>& metrics) {
  const ordered_json json = read_run_json(run);
  ordered_json out{{"id", id},
                   {"name", json.is_object() ? json.value("id", id) : id},
                   {"state", json.is_object() ? json.value("state", "unknown") : "unknown"},
                   {"started", json.is_object() ? json.value("created", "") : ""},
                   {"task", json.is_object() ? json.value("task", "") : ""},
                   {"epochs", json.is_object() && json.contains("epochs") ? json["epochs"] : ordered_json(nullptr)}};
  ordered_json figures = ordered_json::object();
  int64_t epoch = 0;
  for (const Metric& metric : metrics) {
    epoch = std::max(epoch, metric.epoch + 1);
    if (metric.split != "system" && std::isfinite(metric.value))
      figures[metric.split + "/" + metric.name] = metric.value;
  }
  out["epoch"] = epoch;
  out["figures"] = figures;
  return out;
}

}  // namespace

struct RunService::Follower {
  fs::path run;
  std::shared_ptr<http::Exchange> exchange;
  int64_t line = 0;       // the last that was sent
  int64_t after = 0;      // lines up to this one were sent to this client before
  std::streamoff at = 0;  // where the next begins
  std::string state;
  steady_clock::time_point spoke = steady_clock::now();

  /// False once nobody listens.
  bool look() {
    std::string text;
    if (const std::string now = state_of(run); now != state) {
      state = now;
      text += fmt::format("event: state\ndata: {}\n\n", ordered_json{{"state", state}}.dump());
    }
    std::ifstream file(run / "metrics.jsonl", std::ios::binary);
    file.seekg(0, std::ios::end);
    if (file && file.tellg() < at)
      at = 0, line = 0, after = 0;  // a resumed run has dropped its last epochs: tell all anew
    file.seekg(at);
    for (std::string read; text.size() < kMostAtOnce && std::getline(file, read) && !file.eof();) {
      at += std::ssize(read) + 1;
      if (++line <= after) continue;
      const auto json = ordered_json::parse(read, nullptr, false);
      if (json.is_object()) text += fmt::format("id: {}\nevent: metric\ndata: {}\n\n", line, json.dump());
    }
    const auto now = steady_clock::now();
    if (text.empty() && now - spoke > kPulseEvery) text = ": still here\n\n";
    if (text.empty()) return !exchange->gone();
    spoke = now;
    return exchange->write(std::move(text));
  }
};

RunService::RunService(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  if (!fs::is_directory(folder_, error))
    throw InputError("FILE", printable(folder_.string()), "--runs", "got no folder, expected one with runs in it");
  thread_ = std::jthread([this] { look(); });
}

RunService::~RunService() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ends_.notify_all();
  thread_.join();
  for (const auto& follower : followers_) follower->exchange->finish();
}

fs::path RunService::folder_of(const std::string& id) const {
  std::vector<fs::path> found;
  find_runs(folder_, kDepth, found);
  for (const fs::path& run : found) {
    if (run.lexically_relative(folder_).string() == id) return run;
  }
  throw InputError("QUERY", "", "/id", fmt::format("got '{}', expected the id of a run", printable(id)));
}

ordered_json RunService::list() const {
  std::vector<fs::path> found;
  find_runs(folder_, kDepth, found);
  std::vector<std::pair<std::string, fs::path>> by_time;
  for (const fs::path& run : found) {
    const ordered_json json = read_run_json(run);
    by_time.emplace_back(json.is_object() ? json.value("created", "") : "", run);
  }
  std::sort(by_time.begin(), by_time.end(), std::greater<>());
  if (by_time.size() > kMostRuns) by_time.resize(kMostRuns);
  ordered_json runs = ordered_json::array();
  for (const auto& [time, run] : by_time)
    runs.push_back(summary(run, run.lexically_relative(folder_).string(), read_metrics(run / "metrics.jsonl")));
  return {{"runs", runs}};
}

ordered_json RunService::run(const std::string& id) const {
  const fs::path run = folder_of(id);
  const std::vector<Metric> metrics = read_metrics(run / "metrics.jsonl");
  ordered_json json = summary(run, id, metrics);
  ordered_json list = ordered_json::array();
  for (const Metric& metric : metrics) list.push_back(metric_json(metric));
  json["metrics"] = list;
  return json;
}

void RunService::follow(const std::string& id, int64_t after, std::shared_ptr<http::Exchange> exchange) {
  auto follower = std::make_unique<Follower>();
  follower->run = folder_of(id);
  follower->after = after;
  const std::lock_guard lock(mutex_);
  if (followers_.size() >= kMostFollowers)
    throw InputError("BUSY", "", "", fmt::format("got more than {} listeners to runs", kMostFollowers));
  exchange->begin_stream("text/event-stream");
  exchange->write("retry: 2000\n\n");
  follower->exchange = std::move(exchange);
  followers_.push_back(std::move(follower));
}

void RunService::look() {
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, kLookEvery, [&] { return is_over_; })) {
    followers_.remove_if([](const std::unique_ptr<Follower>& follower) {
      try {
        return !follower->look();
      } catch (const std::exception&) {  // the run's folder is gone
        follower->exchange->finish();
        return true;
      }
    });
  }
}

}  // namespace amae::serve
