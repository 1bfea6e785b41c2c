// A regular file opened for reading at given places; the first gate in front of every parser of user files.
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>

namespace amae {

/// Opened with O_NONBLOCK and checked by fstat, so that a FIFO, device or folder is an error and never a hang.
/// Reads by offset (no memory map): a file that shrinks meanwhile is an error and never a SIGBUS.
class RegularFile {
 public:
  /// `code` goes into every error. Throws InputError (where = path) when the file is missing, unreadable or not a
  /// regular file; EnvironmentError when the process has no descriptors or memory left.
  RegularFile(std::filesystem::path path, std::string code);
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] uint64_t size() const { return size_; }        ///< bytes, when it was opened
  [[nodiscard]] timespec changed() const { return changed_; }  ///< its last change then
  [[nodiscard]] std::string where() const;                     ///< the path, printable

  /// Up to `count` bytes from `offset`; returns fewer only at the end of the file.
  size_t read_some(uint64_t offset, void* target, size_t count) const;

  /// Exactly `count` bytes; throws InputError when the file ends before.
  void read(uint64_t offset, void* target, size_t count) const;

  /// Everything. Throws InputError beyond `limit_bytes`.
  [[nodiscard]] std::string read_all(uint64_t limit_bytes) const;

  /// Throws InputError when size or time of the last change are not those of when it was opened.
  void check_unchanged() const;

  /// Throws InputError about this file.
  [[noreturn]] void refuse(const std::string& message, const std::string& field = "") const;

 private:
  std::filesystem::path path_;
  std::string code_;
  int fd_ = -1;
  uint64_t size_ = 0;
  timespec changed_{};
};

}  // namespace amae
