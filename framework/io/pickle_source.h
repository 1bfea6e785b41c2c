// Where the bytes of a pickle come from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/regular_file.h"

namespace amae {

/// Bytes in order: those of a string, or of a file a window at a time.
class PickleSource {
 public:
  static constexpr size_t kWindow = size_t{1} << 18;  ///< the most that look() can be asked for

  explicit PickleSource(std::string bytes) : buffer_(std::move(bytes)), end_(buffer_.size()), size_(buffer_.size()) {}
  /// The file must outlive this.
  explicit PickleSource(const RegularFile& file) : file_(&file), size_(file.size()) {}

  [[nodiscard]] uint64_t at() const { return read_ - (end_ - begin_); }  ///< offset of the next byte
  [[nodiscard]] uint64_t left() const { return size_ - at(); }

  /// The next bytes: at least `count` of them, unless the end comes first. Valid until the next look().
  std::string_view look(size_t count) {
    if (end_ - begin_ < count) fill(count);
    return {buffer_.data() + begin_, end_ - begin_};
  }
  /// Goes on behind `count` bytes of what look() showed.
  void skip(size_t count) { begin_ += count; }
  /// The next `count` bytes, at most left(), into `target`, past the window.
  void read(char* target, size_t count);

 private:
  void fill(size_t count);

  const RegularFile* file_ = nullptr;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // the window within the buffer
  uint64_t size_ = 0;
  uint64_t read_ = end_;  // offset of what follows the window
};

}  // namespace amae
