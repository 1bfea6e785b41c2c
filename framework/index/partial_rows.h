// Vectors of items on their way into a store, kept as they come so that an interrupted embedding goes on where it was.
//
// A folder beside the store: `maker.txt` says what makes the vectors, `rows.bin` has a record for each item, appended
// with one write. A record that was torn by a crash does not match its hash; it and what follows are cut off.
//
//   u32 bytes of text, u32 rows, u64 XXH3 of what follows | "id \n content" | 2 x f64 start, end in s | rows x D f32
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"

namespace amae {

/// An item's vectors with their times.
struct ItemRows {
  std::vector<double> start_s, end_s;
  std::vector<float> vectors;  ///< [rows, D]
};

/// Held by the one process that works on a store: FOLDER/lock. Makes the folder, and removes it in the end where
/// nothing else is in there. Throws EnvironmentError (code LOCKED while another process has it).
class PartialLock {
 public:
  explicit PartialLock(std::filesystem::path folder);
  ~PartialLock();
  PartialLock(const PartialLock&) = delete;
  PartialLock& operator=(const PartialLock&) = delete;
  void remove() const;  ///< the folder with all that is in it

 private:
  std::filesystem::path folder_;
  std::optional<FileLock> lock_;
};

/// For the process that has the lock. Memory: some 40 bytes an item.
class PartialRows {
 public:
  /// True when `folder` holds rows of another maker (any text).
  static bool has_other(const std::filesystem::path& folder, const std::string& maker);

  /// Takes over what an earlier process left in `folder`, which exists; rows of another maker are removed.
  PartialRows(const std::filesystem::path& folder, const std::string& maker, int64_t dimension);
  ~PartialRows();
  PartialRows(const PartialRows&) = delete;
  PartialRows& operator=(const PartialRows&) = delete;

  [[nodiscard]] bool has(const std::string& id, const std::string& content) const;
  /// Nothing when it is not there. Throws EnvironmentError when what was added cannot be read back.
  [[nodiscard]] std::optional<ItemRows> find(const std::string& id, const std::string& content) const;

  /// Survives the death of the process at once, a power cut after a few seconds.
  void add(const std::string& id, const std::string& content, const std::vector<double>& start_s,
           const std::vector<double>& end_s, const float* vectors);

 private:
  void read_all();
  [[nodiscard]] std::string body_at(uint64_t offset, uint32_t& text_bytes, uint32_t& rows) const;

  std::filesystem::path file_;
  int64_t dimension_ = 0;
  int fd_ = -1;
  uint64_t end_ = 0;
  std::unordered_map<uint64_t, uint64_t> offsets_;  // by hash of id and content
  int64_t synced_at_ = 0;                           // ms of the steady clock
};

}  // namespace amae
