// What a client asked for wrongly. (no LibTorch)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "amae/error.h"
#include "base/text.h"

namespace amae::http {

/// A request that is not understood; the one problem says why. Its field is a JSON pointer, also where the request is
/// no JSON: /top_k is an option, wherever it was given.
class BadRequest : public InputError {
 public:
  /// Status 400, code "REQUEST".
  BadRequest(std::string field, std::string message)
      : InputError("REQUEST", "", std::move(field), std::move(message)) {}
  /// Status 415, code "TYPE": content of a kind that is not taken.
  static BadRequest unsupported_type(std::string message) { return BadRequest(415, "TYPE", std::move(message)); }

  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  BadRequest(int status, std::string code, std::string message)
      : InputError(std::move(code), "", "", std::move(message)), status_(status) {}

  int status_ = 400;
};

/// What a client wrote, for a message about it: printable and not long.
inline std::string shown(std::string_view text) {
  constexpr size_t kMostBytes = 60;
  if (text.size() <= kMostBytes) return printable(text);
  size_t end = kMostBytes;  // not within a character
  while (end > kMostBytes - 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return printable(text.substr(0, end)) + "…";
}

}  // namespace amae::http
