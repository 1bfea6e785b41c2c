// Housekeeping of the feature cache's folder: what is there, what may go, what is damaged. Safe beside processes that
// read and write entries: what somebody holds (a kernel lock, see cache_store.h) stays. Only files that have the name
// of an entry are ever touched.
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace amae {

/// One file of the folder.
struct CacheFile {
  std::filesystem::path path;
  std::string key;             ///< 32 hexadecimal digits
  uint64_t bytes = 0;          ///< of the whole file
  std::time_t last_used = 0;   ///< seconds since 1970; for a temporary file, last written
  bool temporary = false;      ///< being written, or left by a process that died
  bool held = false;           ///< by a living process, or it cannot be known here
  nlohmann::json description;  ///< null for a temporary or damaged file
  std::string problem;         ///< why there is no description; the numbers themselves are not looked at
};

/// Every entry and temporary file of `folder` (cache_folder()), longest unused first. Empty when there is no folder;
/// throws EnvironmentError when it cannot be read.
std::vector<CacheFile> list_cache(const std::filesystem::path& folder);

struct GcLimits {
  double older_than_s = std::numeric_limits<double>::infinity();  ///< entries unused for longer go
  double max_bytes = std::numeric_limits<double>::infinity();     ///< of all entries; the longest unused go first
};

/// A file that goes, and why; or one that would go and is held.
struct Removal {
  CacheFile file;
  std::string reason;
  bool removed = false;  ///< false: it is held, or the disk said no
};

/// Temporary files that nobody holds go always. With `dry_run` nothing is removed, and `removed` says what would be.
std::vector<Removal> collect_garbage(const std::filesystem::path& folder, const GcLimits& limits, bool dry_run);

/// Reads all of one entry. Returns what is wrong with it, or nothing.
std::string verify_entry(const CacheFile& file);

/// Removes a file unless somebody holds it; true when it is gone.
bool remove_unless_held(const CacheFile& file);

}  // namespace amae
