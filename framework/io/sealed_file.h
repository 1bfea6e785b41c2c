// A file that says what it holds and proves it, so that no parser of others ever sees a damaged byte.
//
//   bytes 0 … 4095        one line of text: format, sizes, hash of the description; blanks to the end of the page
//   4096 … 4096 + P - 1   the payload, P bytes; may be mapped into memory
//   then                  the description: JSON with the payload's hash ("xxh3") and what the writer wants to say
//
// The description comes last because it is only known once the payload has been written. Every byte is covered: the
// page must be exactly what its numbers give, the description has its hash there, the payload has its hash in it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/hash.h"
#include "io/regular_file.h"

namespace amae {

inline constexpr size_t kSealedPage = 4096;

/// The first page; `description` is the text at the end. A reader rebuilds it from its numbers and compares every byte.
std::string sealed_page(const std::string& format, uint64_t payload, const std::string& description);

struct SealedHead {
  uint64_t payload = 0;  ///< bytes
  nlohmann::json description;
};

/// Page and description of an open file. Returns what is wrong with them ("is cut off"), or nothing. Throws
/// EnvironmentError (code, where = path) when the file cannot be read at all.
std::string read_sealed_head(int fd, const std::string& format, const std::string& code,
                             const std::filesystem::path& path, SealedHead& head);

/// One that is whole, for reading.
class SealedFile {
 public:
  /// Judges the page and the description, not the payload. Throws InputError (`code`, where = path) when it is missing,
  /// no such file or damaged.
  SealedFile(const std::filesystem::path& path, const std::string& format, const std::string& code);
  ~SealedFile();
  SealedFile(const SealedFile&) = delete;
  SealedFile& operator=(const SealedFile&) = delete;

  [[nodiscard]] const nlohmann::json& description() const { return head_.description; }
  [[nodiscard]] uint64_t payload_bytes() const { return head_.payload; }

  /// Hashes the payload; nothing of it may be used before. Throws InputError when it is damaged.
  void verify() const;

  /// Bytes of the payload into memory of the caller.
  void read(uint64_t offset, void* target, size_t count) const { file_.read(kSealedPage + offset, target, count); }
  /// The payload, mapped read-only as long as this lives. Throws EnvironmentError.
  [[nodiscard]] const char* map();

  [[nodiscard]] int fd() const { return file_.fd(); }
  [[noreturn]] void refuse(const std::string& message, const std::string& field = "") const {
    file_.refuse(message, field);
  }

 private:
  RegularFile file_;
  SealedHead head_;
  void* data_ = nullptr;
};

/// Writes one beside its place (PATH.tmp-PID) and renames it there when it is whole; removes what killed writers left.
class SealedWriter {
 public:
  /// Throws EnvironmentError (code "FILE") as all of it does when the disk says no.
  SealedWriter(const std::filesystem::path& path, std::string format);

  void write(const void* data, size_t count);
  [[nodiscard]] uint64_t payload_bytes() const { return payload_; }
  /// The payload's hash is added to `description`. Flushed to the disk, then renamed.
  void commit(nlohmann::json description);

 private:
  std::string format_;
  AtomicFile file_;
  uint64_t payload_ = 0;
  Xxh3 hash_;
};

}  // namespace amae
