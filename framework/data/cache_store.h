// One entry of the feature cache: a file of numbers that is either whole or not there, and says what it holds.
//
// A sealed file (io/sealed_file.h) whose payload is mapped into memory; its description has where the payload came from
// and how it was made.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace amae {

/// KEY.f32 in the folder's features/.
std::filesystem::path cache_entry_path(const std::filesystem::path& folder, const std::string& key);

/// A mapped entry, whole or being made. While it lives it holds a shared kernel lock on its file, by which others know
/// that it is in use; the lock goes with the process, however that ends.
class CacheEntry {
 public:
  /// Opens an entry for reading and checks all of it. Null when there is none (`problem` is empty) or when it is
  /// damaged
  /// (`problem` says how). Throws EnvironmentError when it is there and cannot be read.
  static std::unique_ptr<CacheEntry> open(const std::filesystem::path& path, std::string& problem);

  /// The description alone, without a look at the numbers; null with `problem` as above.
  static nlohmann::json describe(const std::filesystem::path& path, std::string& problem);

  /// Starts an entry of `payload` bytes under a temporary name of its own; other processes may be at the same one.
  /// Makes the folder. Throws EnvironmentError when the disk says no; space is reserved now, so that writing later
  /// cannot fail (a hole in a mapped file would be SIGBUS on a full disk).
  static std::unique_ptr<CacheEntry> create(const std::filesystem::path& path, size_t payload);

  /// Removes the temporary file of an entry that was not committed.
  ~CacheEntry();
  CacheEntry(const CacheEntry&) = delete;
  CacheEntry& operator=(const CacheEntry&) = delete;

  [[nodiscard]] char* payload() const;
  [[nodiscard]] size_t payload_bytes() const { return payload_; }
  [[nodiscard]] const nlohmann::json& description() const { return description_; }

  /// Notes that the entry is used now, by its file's time; without effect where that is not allowed.
  void mark_used() const;

  /// Writes hash and description, flushes, and renames to the final name. Throws EnvironmentError when that fails; the
  /// temporary file is gone then, and the payload stays usable in memory as long as the entry lives.
  void commit(nlohmann::json description);

 private:
  CacheEntry(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  static std::unique_ptr<CacheEntry> open_file(const std::filesystem::path& path);
  void map(bool writable);
  std::string read_head();
  void write_at(size_t offset, const std::string& text) const;

  int fd_ = -1;
  std::filesystem::path path_, temporary_;  // temporary_ is empty for one that is whole
  void* data_ = nullptr;
  size_t payload_ = 0;
  nlohmann::json description_;
};

}  // namespace amae
