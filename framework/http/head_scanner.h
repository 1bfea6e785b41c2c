// Finds the end of a request's head, and what must not stand in it, byte by byte. (no LibTorch)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace amae::http {

/// A head is a request line and lines of fields, each with CR LF, and an empty line. What is wrong is seen at its first
/// byte, so that the answer does not depend on how the bytes arrive: that is what Beast's parser is given whole heads
/// for.
class HeadScanner {
 public:
  HeadScanner(uint64_t max_bytes, uint64_t max_target_bytes)
      : max_bytes_(max_bytes), max_target_bytes_(max_target_bytes) {}

  /// Returns how many bytes it took; all, unless the head ends within them. Throws Refusal: 400 for a TLS handshake, a
  /// control character, a bare CR or LF, a folded line and a request line without its three parts, 505 for another
  /// version than HTTP/1.0 and 1.1, 414 for a long target and a head that is too long before its first line has ended,
  /// 431 for another long head or one of more than 128 fields. One empty line before the head is skipped.
  size_t feed(std::string_view bytes);
  [[nodiscard]] bool is_done() const { return part_ == Part::done; }
  /// What was taken: once done, the whole head.
  [[nodiscard]] const std::string& head() const { return head_; }
  /// The target, once the request line has ended.
  [[nodiscard]] std::string_view target() const;

 private:
  enum class Part { start, skipped, method, target, version, version_end, line, field, field_end, end, done };

  void take(char byte);
  void check_version() const;

  uint64_t max_bytes_;
  uint64_t max_target_bytes_;
  std::string head_;
  size_t target_begin_ = 0;
  size_t version_begin_ = 0;
  int fields_ = 0;
  bool has_skipped_ = false;
  Part part_ = Part::start;
};

}  // namespace amae::http
