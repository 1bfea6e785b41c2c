#include "plugin/first_contact.h"

#include <dlfcn.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <torch/version.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "amae/plugin.h"
#include "amae/version.h"
#include "base/child_process.h"
#include "base/file.h"
#include "base/folders.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "plugin/loader.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kPatience{5};
constexpr uint64_t kMemory = uint64_t{8} << 30;
constexpr size_t kMostVerdicts = 5000;

fs::path prober;

/// Which amae a verdict is of: another one may load the same library otherwise.
std::string own_build() {
  Dl_info info{};
  struct stat status {};
  if (::dladdr(reinterpret_cast<void*>(&run_probe), &info) == 0 || ::stat(info.dli_fname, &status) != 0) return "";
  return fmt::format("{}.{}", status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec);
}

/// What is known of libraries by their content, in a file of the cache folder that several processes share: the last
/// writer wins, and what is lost is tried again.
class Verdicts {
 public:
  Verdicts() : file_(cache_folder() / "plugins" / "verdicts.json"), known_(read()) {}

  /// "good", a reason, or empty for an unknown one.
  [[nodiscard]] std::string find(const fs::path& library) {
    const auto found = known_.find(key(library));
    return found == known_.end() ? "" : found->value("verdict", "");
  }

  void keep(const fs::path& library, const std::string& verdict) {
    changes_[key(library)] = {{"file", library.string()}, {"verdict", verdict}, {"time", std::time(nullptr)}};
  }
  void forget(const fs::path& library) { changes_[key(library)] = nullptr; }

  void write() {
    known_ = read();  // what others have learned meanwhile stays
    for (const auto& [key, change] : changes_) {
      known_.erase(key);
      if (!change.is_null()) known_[key] = change;
    }
    while (known_.size() > kMostVerdicts) {
      known_.erase(std::min_element(known_.begin(), known_.end(), [](const json& a, const json& b) {
        return a.value("time", int64_t{0}) < b.value("time", int64_t{0});
      }));
    }
    try {
      fs::create_directories(file_.parent_path());
      write_file(file_, known_.dump(1, ' ', false, json::error_handler_t::replace));
    } catch (const std::exception&) {  // a cache that cannot be written is none
    }
  }

 private:
  /// The entries of the file that have the form of one; what is damaged is tried again.
  [[nodiscard]] json read() const {
    json entries = json::object();
    try {
      if (!fs::exists(file_)) return entries;
      const json read = json::parse(read_file(file_, 64 << 20));
      for (const auto& [key, entry] : read.items()) {
        if (entry.is_object() && entry.contains("verdict") && entry["verdict"].is_string() && entry.contains("time") &&
            entry["time"].is_number_integer()) {
          entries[key] = entry;
        }
      }
    } catch (const std::exception&) {  // no JSON, or not to be read
    }
    return entries;
  }

  std::string key(const fs::path& library) {
    std::string& key = keys_[library];
    if (key.empty()) key = xxh3_file(library) + "-" + build_;
    return key;
  }

  fs::path file_;
  std::string build_ = fmt::format("{}-{}-{}-{}", AMAE_VERSION, AMAE_API_VERSION, TORCH_VERSION, own_build());
  json known_;
  std::map<std::string, json> changes_;  ///< null: forgotten
  std::map<fs::path, std::string> keys_;
};

constexpr const char* kGood = "good";
constexpr const char* kReady = "ready";

std::string today() {
  const std::time_t now = std::time(nullptr);
  return fmt::format("{:%Y-%m-%d}", fmt::localtime(now));
}

/// What came of one child: a report for each library that it finished, and how it ended at the next.
struct Trial {
  std::map<fs::path, std::string> reports;  ///< empty reason: it is sound
  std::string end;                          ///< empty: it finished them all
};

Trial try_in_child(const std::vector<fs::path>& libraries, const std::function<void()>& on_done) {
  std::vector<std::string> words = {"plugin", "probe"};
  for (const fs::path& library : libraries) words.push_back(library.string());
  ChildLimits limits;
  limits.silence = kPatience;
  limits.memory_bytes = kMemory;
  Trial trial;
  size_t done = 0;
  bool is_ready = false;
  const ChildResult result = run_child(prober, words, limits, [&](const std::string& line) {
    is_ready = is_ready || line == kReady;
    if (line == kReady || done == libraries.size()) return;
    trial.reports[libraries[done++]] = line == kGood ? "" : line;
    on_done();
  });
  if (!is_ready) {  // no library's fault
    throw EnvironmentError(
        "CHILD", prober.string(),
        fmt::format("cannot try new plugins: its child {} before it had begun; --no-probe opens them "
                    "untried",
                    result.text()));
  }
  if (done < libraries.size()) trial.end = result.text();
  return trial;
}

/// Tries all of them, as few children as can be. `on_verdict` gets each with its reason and whether it ended its child.
void try_all(std::vector<fs::path> pending,
             const std::function<void(const fs::path&, const std::string& reason, bool has_crashed)>& on_verdict) {
  Progress progress("new plugins", static_cast<int64_t>(pending.size()));
  int64_t done = 0;
  while (!pending.empty()) {
    const Trial trial = try_in_child(pending, [&] { progress.update(++done); });
    for (const auto& [library, reason] : trial.reports) on_verdict(library, reason, false);
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(trial.reports.size()));
    if (pending.empty()) return;
    const fs::path suspect = pending.front();
    std::string end = trial.end;
    if (!trial.reports.empty()) {  // one before it may have spoiled the child: it gets one of its own
      const Trial alone = try_in_child({suspect}, [] {});
      if (alone.end.empty()) on_verdict(suspect, alone.reports.begin()->second, false);
      end = alone.end;
    }
    if (!end.empty()) on_verdict(suspect, end, true);
    pending.erase(pending.begin());
    progress.update(++done);
  }
}

std::string crash_text(const std::string& end) {
  return fmt::format("its code {} when it was loaded on {}", end, today());
}

}  // namespace

void probe_plugins_with(fs::path program) { prober = std::move(program); }

std::map<fs::path, std::string> refused_at_first_contact(const std::vector<fs::path>& libraries) {
  if (prober.empty() || libraries.empty()) return {};
  Verdicts verdicts;
  std::map<fs::path, std::string> refused;
  std::vector<fs::path> unknown;
  for (const fs::path& library : libraries) {
    const std::string verdict = verdicts.find(library);
    if (verdict.empty()) {
      unknown.push_back(library);
    } else if (verdict != kGood) {
      refused[library] =
          fmt::format("is quarantined: {}; `amae plugin check {}` tries it again", verdict, library.string());
    }
  }
  if (unknown.empty()) return refused;
  try_all(unknown, [&](const fs::path& library, const std::string& reason, bool has_crashed) {
    if (has_crashed) {
      verdicts.keep(library, crash_text(reason));
      refused[library] = crash_text(reason);
    } else if (!reason.empty()) {
      refused[library] = reason;
    } else {
      verdicts.keep(library, kGood);
    }
  });
  verdicts.write();
  return refused;
}

std::string meet_again(const fs::path& library) {
  if (prober.empty()) return "";
  Verdicts verdicts;
  std::string problem;
  try_all({library}, [&](const fs::path& file, const std::string& reason, bool has_crashed) {
    problem = has_crashed ? crash_text(reason) : reason;
    if (has_crashed || reason.empty()) {
      verdicts.keep(file, has_crashed ? problem : kGood);
    } else {
      verdicts.forget(file);
    }
  });
  verdicts.write();
  return problem;
}

void run_probe(const std::vector<fs::path>& libraries) {
  report_line(kReady);
  for (const fs::path& library : libraries) {
    const Registry registry = load_plugins({library});
    std::string problem = registry.plugins().front()->problem;
    try {
      for (const ComponentInfo& info : registry.components()) {
        const auto options = info.make_options();
        Fields fields;
        options->describe(fields);
      }
    } catch (const std::exception& error) {
      problem = std::string("describing its options failed: ") + error.what();
    } catch (...) {
      problem = "describing its options failed: it threw something that is no std::exception";
    }
    report_line(problem.empty() ? kGood : problem);
    if (problem.starts_with(kThrewWhileOpened)) return;  // the next child goes on
  }
}

}  // namespace amae
