// The target of a request line, taken apart. (no LibTorch)
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amae::http {

struct Target {
  std::string authority;                                   ///< "host:port" of an absolute target; empty otherwise
  std::string path;                                        ///< decoded; begins with "/"
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, "+" as a blank, in order
};

/// "/path?query" or "http://host/path?query" (RFC 9112, sections 3.2.1 and 3.2.2), of visible ASCII characters.
/// Throws Refusal (400) for another form, a fragment, a "%" without two hexadecimal digits, a NUL in either part, and
/// another control character in the path. Dots and double slashes mean nothing here and stay.
Target parse_target(std::string_view text);

}  // namespace amae::http
