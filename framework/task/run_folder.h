// The folder that a run leaves behind.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "task/run_config.h"

namespace amae {

/// Picks and makes a run folder: `out` itself (which must be missing or empty), or FOLDER/NAME/TIME-ID with a link
/// FOLDER/NAME/latest. Throws EnvironmentError when it cannot be written, InputError when `out` holds something.
std::filesystem::path make_run_folder(const Plan& plan, const std::filesystem::path& out);

/// An open run: holds the lock and keeps run.json true.
class RunFolder {
 public:
  /// Locks the folder; writes config.yaml and run.json (state "running") when it is new.
  RunFolder(std::filesystem::path path, Plan& plan, const std::vector<std::string>& argv);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Adds to run.json under `key`.
  void note(const std::string& key, nlohmann::ordered_json value);
  /// The same, for what must not change between a run and its resume. Throws InputError when run.json holds another
  /// value.
  void expect(const std::string& key, const nlohmann::ordered_json& value);
  /// Does `work` and keeps how it ended: "finished", "interrupted" when it threw Stopped (returns false), or "failed"
  /// when it threw anything else, which passes.
  bool record(const std::function<void()>& work);

 private:
  void end(const std::string& state);

  std::filesystem::path path_;
  std::unique_ptr<FileLock> lock_;
  nlohmann::ordered_json json_;
};

/// RUN/run.json, or null when it is missing or damaged.
nlohmann::ordered_json read_run_json(const std::filesystem::path& run);

/// "2026-11-20T14:03:12Z".
std::string utc_time();

double seconds_since(std::chrono::steady_clock::time_point begin);

/// Tells people how a task ended that began at `begin`. `saved`: "saved; " where a stop loses no work.
void tell_end(bool finished, const std::filesystem::path& run, std::chrono::steady_clock::time_point begin,
              const char* saved = "");

}  // namespace amae
