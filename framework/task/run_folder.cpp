#include "task/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <torch/types.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <set>

#include "amae/version.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

std::string time_text(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw EnvironmentError("RUN-FOLDER", path.string(), "cannot create the run folder: " + error.message());
  if (::access(path.c_str(), W_OK) != 0)
    throw EnvironmentError("RUN-FOLDER", path.string(), "cannot write into the run folder: permission denied");
}

ordered_json plugin_list(const Plan& plan) {
  std::set<std::pair<std::string, std::string>> used;
  const auto add = [&](const std::string& kind, const Component& component) {
    const fs::path& path = plan.registry->find(kind, component.name).plugin->path;
    used.insert({path.string(), sha256_file(path)});
  };
  add("dataset", plan.config.data);
  if (!plan.config.model.name.empty()) add("model", plan.config.model);  // else a bundle's
  for (const Component& transform : plan.config.transforms) add("transform", transform);
  ordered_json list = ordered_json::array();
  for (const auto& [path, sum] : used) list.push_back({{"file", path}, {"sha256", sum}});
  return list;
}

}  // namespace

std::string utc_time() { return time_text("%Y-%m-%dT%H:%M:%SZ"); }

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void tell_end(bool finished, const fs::path& run, std::chrono::steady_clock::time_point begin, const char* saved) {
  if (finished) {
    log::info("done   {}  {}", run.string(), duration_text(seconds_since(begin)));
  } else {
    log::info("stopped by signal {}; {}go on with: amae resume {}", stop_signal(), saved, run.string());
  }
}

fs::path make_run_folder(const Plan& plan, const fs::path& out) {
  if (!out.empty()) {
    if (fs::exists(out) && (!fs::is_directory(out) || !fs::is_empty(out))) {
      throw InputError("RUN-FOLDER", out.string(), "--out",
                       "got a path that is in use, expected a new or an empty folder");
    }
    make_folders(out);
    return fs::absolute(out).lexically_normal();
  }
  const char* runs = std::getenv("AMAE_RUNS");  // NOLINT(concurrency-mt-unsafe)
  fs::path base = !plan.config.output.folder.empty() ? plan.config.output.folder
                  : runs != nullptr && *runs != '\0' ? runs
                                                     : "runs";
  base = fs::absolute(base) /
         (plan.config.output.name.empty() ? fs::path(plan.source).stem() : fs::path(plan.config.output.name));
  make_folders(base);
  std::random_device device;
  fs::path folder;
  do {
    folder = base / fmt::format("{}-{:04x}", time_text("%Y%m%d-%H%M%S"), device() & 0xFFFFU);
  } while (!fs::create_directory(folder));
  std::error_code error;
  const fs::path link = base / fmt::format(".latest-{}", ::getpid());
  fs::create_directory_symlink(folder.filename(), link,
                               error);  // a convenience: a file system without links may refuse
  if (!error) fs::rename(link, base / "latest", error);
  return folder;
}

ordered_json read_run_json(const fs::path& run) {
  if (!fs::is_regular_file(run / "run.json")) return nullptr;
  auto json = ordered_json::parse(read_file(run / "run.json", 1 << 30), nullptr, false);
  return json.is_object() ? json : ordered_json(nullptr);
}

RunFolder::RunFolder(fs::path path, Plan& plan, const std::vector<std::string>& argv) : path_(std::move(path)) {
  make_folders(path_);
  lock_ = std::make_unique<FileLock>(path_ / ".lock");
  const std::string yaml = plan.resolved_yaml();
  json_ = read_run_json(path_);
  if (json_.is_null()) {
    json_ = {{"format", 1},
             {"id", path_.filename().string()},
             {"state", "running"},
             {"created", utc_time()},
             {"argv", argv}};
    write_file(path_ / "config.yaml", yaml);
  } else {
    json_["state"] = "running";
    json_["resumed"].push_back({{"time", utc_time()}, {"argv", argv}});
    if (const int threads = json_.value("threads", at::get_num_threads()); threads != at::get_num_threads()) {
      log::warning(
          "this run began with {} threads and goes on with {}: its numbers will differ from an uninterrupted run's",
          threads, at::get_num_threads());
    }
  }
  json_["source"] = plan.source;
  json_["config_sha256"] = sha256_hex(yaml);
  json_["task"] = plan.config.task;
  json_["epochs"] = plan.config.train.epochs;
  json_["seed"] = plan.config.seed;
  json_["amae"] = AMAE_VERSION;
  json_["libtorch"] = TORCH_VERSION;
  json_["threads"] = at::get_num_threads();
  json_["plugins"] = plugin_list(plan);
  write_file(path_ / "run.json", json_.dump(2) + "\n");
}

void RunFolder::note(const std::string& key, ordered_json value) { json_[key] = std::move(value); }

void RunFolder::expect(const std::string& key, const ordered_json& value) {
  if (json_.contains(key) && json_.at(key) != value) {
    throw InputError(
        "RUN", (path_ / "run.json").string(), key,
        fmt::format("got {}, expected {} as when this run began; start a new run", value.dump(), json_.at(key).dump()));
  }
  json_[key] = value;
}

bool RunFolder::record(const std::function<void()>& work) {
  try {
    work();
    end("finished");
    return true;
  } catch (const Stopped&) {
    end("interrupted");
    return false;
  } catch (...) {
    try {
      end("failed");
    } catch (const std::exception&) {  // a full disk must not hide why; the lock tells that nobody is "running"
    }
    throw;
  }
}

void RunFolder::end(const std::string& state) {
  json_["state"] = state;
  json_["ended"] = utc_time();
  write_file(path_ / "run.json", json_.dump(2) + "\n");
}

}  // namespace amae
