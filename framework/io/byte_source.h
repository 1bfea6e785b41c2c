// Bytes that can be read at any place, wherever they lie: a file of their own or a part of another.
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "io/regular_file.h"

namespace amae {

/// What errors say of some bytes: the code, the file and, where they are a part of it, the part's name.
struct ByteOrigin {
  std::string code, file, part;  ///< file and part printable
};

/// All of it is thread-safe.
class ByteSource {
 public:
  explicit ByteSource(ByteOrigin origin) : origin_(std::move(origin)) {}
  virtual ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] virtual uint64_t size() const = 0;

  /// Exactly `count` bytes from `offset` on; throws InputError when there are fewer.
  virtual void read(uint64_t offset, void* target, size_t count) const = 0;

  [[nodiscard]] const ByteOrigin& origin() const { return origin_; }
  /// "FILE", or "FILE: PART".
  [[nodiscard]] std::string where() const;
  /// Throws InputError about these bytes: where = FILE, field = `field`, or "PART", or "PART: FIELD".
  [[noreturn]] void refuse(const std::string& message, const std::string& field = "") const;

 private:
  ByteOrigin origin_;
};

/// A file that stays open.
class OpenFile final : public ByteSource {
 public:
  OpenFile(const std::filesystem::path& path, const std::string& code);

  [[nodiscard]] uint64_t size() const override { return file_.size(); }
  void read(uint64_t offset, void* target, size_t count) const override { file_.read(offset, target, count); }

 private:
  RegularFile file_;
};

/// A file that is opened anew for every read, so that there may be more of them than a process can hold open. One that
/// has another size or time of change than at first is refused.
class ReopenedFile final : public ByteSource {
 public:
  ReopenedFile(std::filesystem::path path, const std::string& code);

  [[nodiscard]] uint64_t size() const override { return size_; }
  void read(uint64_t offset, void* target, size_t count) const override;

 private:
  std::filesystem::path path_;
  uint64_t size_ = 0;
  timespec changed_{};
};

/// A part of a whole file.
class Stretch final : public ByteSource {
 public:
  /// Throws InputError when it leaves `whole`.
  Stretch(std::shared_ptr<const ByteSource> whole, uint64_t begin, uint64_t size, const std::string& name);

  [[nodiscard]] uint64_t size() const override { return size_; }
  void read(uint64_t offset, void* target, size_t count) const override;

 private:
  std::shared_ptr<const ByteSource> whole_;
  uint64_t begin_ = 0, size_ = 0;
};

}  // namespace amae
