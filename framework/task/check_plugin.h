// `amae plugin check`: every check of compliance/ on one library, each in a fresh child process, so that a crash or a
// hang is a result like others (the many of a component's option values share one until one of them ends it). The
// library is never opened in this process.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "compliance/check.h"

namespace amae {

struct CheckRequest {
  std::filesystem::path library;
  std::filesystem::path program;  ///< amae, which is run as the children
  int level = 8;
  uint64_t seed = 0;
  std::string device = "auto";
  std::chrono::seconds patience{60};               ///< for one check
  uint64_t memory_bytes = uint64_t{12} << 30;      ///< for one check, on the CPU
  std::vector<std::filesystem::path> plugin_path;  ///< of plugins that may hold the same key
};

struct CheckResult {
  enum class Verdict { passed, failed, skipped };
  std::string kind, key;  ///< empty for the library as a whole
  compliance::Check check;
  Verdict verdict = Verdict::passed;
  std::string message;  ///< why it failed or was skipped
  double seconds = 0;
};

const char* to_string(CheckResult::Verdict verdict);

/// Runs all checks up to the level, as many at a time as there are cores. `on_result` gets them in order. The first is
/// "load": the library is whole, of this amae, and registers something; without it there are no others. Throws
/// InputError for a library that is not there.
std::vector<CheckResult> check_plugin(const CheckRequest& request,
                                      const std::function<void(const CheckResult&)>& on_result);

/// JSON: file, level, seed, counts, and each result.
std::string check_json(const CheckRequest& request, const std::vector<CheckResult>& results);

/// JUnit's XML, one test suite for each component.
std::string check_junit(const CheckRequest& request, const std::vector<CheckResult>& results);

/// The children's parts: they report on the channel of base/child_process.h.
void report_checks(const std::filesystem::path& library, int level);
void report_these_checks(const CheckRequest& request, const std::string& kind, const std::string& key,
                         const std::vector<std::string>& ids);

}  // namespace amae
