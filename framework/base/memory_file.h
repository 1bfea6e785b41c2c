// Bytes in memory under a path, for parsers that read files.
#pragma once

#include <string>
#include <string_view>

namespace amae {

/// A regular file that no folder holds; gone with the object.
class MemoryFile {
 public:
  /// Throws EnvironmentError (code "MEMORY") when there is no memory or no descriptor left.
  explicit MemoryFile(std::string_view content = {});
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Replaces what it holds.
  void put(std::string_view content);
  /// By which this process opens it.
  [[nodiscard]] std::string path() const;

 private:
  int fd_ = -1;
};

}  // namespace amae
