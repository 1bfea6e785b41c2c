#include "http/head_scanner.h"

#include <fmt/format.h>

#include "http/characters.h"
#include "http/refusal.h"

namespace amae::http {
namespace {

constexpr size_t kMostMethodBytes = 32;
constexpr int kMostFields = 128;
constexpr std::string_view kVersion = "HTTP/1.1";
constexpr char kTlsHandshake = 0x16;

void expect_line_feed(char byte) {
  if (byte != '\n') refuse("got a CR without LF, expected CR LF at the end of each line");
}

}  // namespace

size_t HeadScanner::feed(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && part_ != Part::done) take(bytes[taken++]);
  return taken;
}

void HeadScanner::take(char byte) {
  if (head_.size() >= max_bytes_) {
    if (part_ < Part::line) refuse(414, "SIZE", fmt::format("got a request line over {} bytes", max_bytes_));
    refuse(431, "SIZE", fmt::format("got headers over {} bytes, expected fewer", max_bytes_));
  }
  head_ += byte;
  switch (part_) {
    case Part::start:
      if (byte == kTlsHandshake)
        refuse("got a TLS handshake, expected plain HTTP; use an address that begins with http:");
      if (byte == '\r' && !has_skipped_) {  // some clients end a body with an empty line of their own (RFC 9112, 2.2)
        has_skipped_ = true;
        part_ = Part::skipped;
        return;
      }
      part_ = Part::method;
      if (!is_token_character(byte)) refuse("got no method, expected a request line such as GET / HTTP/1.1");
      return;
    case Part::skipped:
      expect_line_feed(byte);
      head_.clear();
      part_ = Part::start;
      return;
    case Part::method:
      if (byte == ' ') {
        part_ = Part::target;
        target_begin_ = head_.size();
      } else if (!is_token_character(byte) || head_.size() > kMostMethodBytes) {
        refuse("got a bad method, expected a request line such as GET / HTTP/1.1");
      }
      return;
    case Part::target:
      if (byte == ' ' && head_.size() > target_begin_ + 1) {
        part_ = Part::version;
        version_begin_ = head_.size();
      } else if (!is_visible(byte)) {
        refuse("got a bad target, expected visible ASCII characters, and HTTP/1.1 behind them");
      } else if (head_.size() - target_begin_ > max_target_bytes_) {
        refuse(414, "SIZE", fmt::format("got a target over {} bytes, expected a shorter one", max_target_bytes_));
      }
      return;
    case Part::version:
      if (byte == '\r') {
        part_ = Part::version_end;
      } else if (!is_visible(byte) || head_.size() - version_begin_ > kVersion.size()) {
        refuse("got a request line with a bad end, expected HTTP/1.1 and CR LF");
      }
      return;
    case Part::version_end:
      expect_line_feed(byte);
      check_version();
      part_ = Part::line;
      return;
    case Part::line:
      if (byte == '\r') {
        part_ = Part::end;
        return;
      }
      if (byte == ' ' || byte == '\t') refuse("got a header over two lines, expected one line each");
      if (!is_token_character(byte)) refuse("got a header without a name, expected NAME: VALUE");
      if (++fields_ > kMostFields)
        refuse(431, "SIZE", fmt::format("got more than {} headers, expected fewer", kMostFields));
      part_ = Part::field;
      return;
    case Part::field:
      if (byte == '\r') {
        part_ = Part::field_end;
      } else if (!is_value_character(byte)) {
        refuse("got a control character in a header, expected none");
      }
      return;
    case Part::field_end:
      expect_line_feed(byte);
      part_ = Part::line;
      return;
    case Part::end:
      expect_line_feed(byte);
      part_ = Part::done;
      return;
    case Part::done:
      return;
  }
}

void HeadScanner::check_version() const {
  const std::string_view version = std::string_view(head_).substr(version_begin_, head_.size() - version_begin_ - 2);
  const bool is_version = version.size() == kVersion.size() && version.starts_with("HTTP/") && is_digit(version[5]) &&
                          version[6] == '.' && is_digit(version[7]);
  if (!is_version) refuse("got a request line with a bad end, expected HTTP/1.1 and CR LF");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    refuse(505, "REQUEST", fmt::format("got {}, expected HTTP/1.1 or HTTP/1.0", version));
}

std::string_view HeadScanner::target() const {
  return std::string_view(head_).substr(target_begin_, version_begin_ - target_begin_ - 1);
}

}  // namespace amae::http
