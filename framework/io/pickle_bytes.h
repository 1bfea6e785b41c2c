// Memory for the texts and arrays of a pickle: the small ones share blocks, each large one has its own.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace amae {

/// Bytes that grow at their end. Grown by realloc, which moves the pages of a large block instead of copying them:
/// while an array is decoded, there is one copy of it.
class GrowingBytes {
 public:
  /// Where `count` more bytes may be written; added() says how many were.
  char* room(size_t count);
  void added(size_t count) { size_ += count; }
  void clear() { size_ = 0; }
  [[nodiscard]] std::string_view view() const { return {data_.get(), size_}; }

 private:
  friend class PickleBytes;
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  void resize(size_t capacity);

  std::unique_ptr<char[], Free> data_;
  size_t size_ = 0, capacity_ = 0;
};

/// Keeps bytes in place for as long as it lives.
class PickleBytes {
 public:
  /// A copy of a few bytes, or what `bytes` holds, which is then empty: as it is when it is much, without a copy.
  std::string_view keep(std::string_view bytes);
  std::string_view keep(GrowingBytes& bytes);

  /// `kept` (one of the above) for a change in place.
  static char* writable(std::string_view kept) { return const_cast<char*>(kept.data()); }
  /// The first `count` bytes of `kept`, which is no longer used; the others are given back where they are many.
  std::string_view shorten(std::string_view kept, size_t count);

 private:
  static constexpr size_t kLarge = size_t{1} << 14;
  std::vector<GrowingBytes> large_, blocks_;
};

}  // namespace amae
