// Files that are either whole or not there: written beside the target, fsynced, renamed, and the folder fsynced.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace amae {

/// Whole content of a regular file. Throws InputError (code "FILE") when it is missing, not a regular file, unreadable,
/// or larger than `limit_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t limit_bytes = uint64_t{1} << 32);

/// A file that appears whole: written as PATH.tmp-PID, which it is locked as, and renamed by commit(). Without commit()
/// the destructor removes it. Throws EnvironmentError (code "FILE", where = path) when the disk says no.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(const void* data, size_t count);
  void rewrite(const void* data, size_t count);  ///< the first bytes of what was written
  void commit();

  /// Removes what writers of `path` left that were killed: nobody holds its lock any more.
  static void remove_leftovers(const std::filesystem::path& path);

 private:
  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

/// Replaces `path` by `content` atomically and durably. Throws EnvironmentError naming path and errno text.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Appends to a file (created when missing) and fsyncs it. Throws EnvironmentError.
void append_file(const std::filesystem::path& path, std::string_view content);

/// Judged before long work that fills it: that a file can be put at `path`, which the option `field` names. Throws
/// InputError (code "FILE") when its folder is missing or something other than a file is there, EnvironmentError when
/// the folder cannot be written.
void require_output(const std::filesystem::path& path, const std::string& field);

/// fsync of a file or folder. Throws EnvironmentError.
void sync_path(const std::filesystem::path& path);

/// A folder that appears whole: fill path(), then commit() fsyncs it and exchanges it with what stands at `target` in
/// one rename (two where the file system cannot exchange), then removes the old one. Without commit() the destructor
/// removes it.
class AtomicFolder {
 public:
  explicit AtomicFolder(std::filesystem::path target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  bool committed_ = false;
};

/// An exclusive kernel lock on `path` (created when missing), held until destruction; it frees itself when the process
/// dies. Throws EnvironmentError (code "LOCKED") naming the holder's pid when another process has it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

/// A fresh folder under the system's temporary folder, removed with all it holds by the destructor.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace amae
