// JSON that strangers send. (no LibTorch)
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace amae::http {

struct JsonLimits {
  size_t depth = 32;        ///< open objects and lists; reading recurses as deep
  size_t values = 100'000;  ///< of any kind, all together
};

/// The one value that `text` is. Stricter than nlohmann::json::parse(), which takes the last of several equal keys, a
/// byte order mark, any depth, and a NUL for the end of the text. Numbers are those of nlohmann::json: whole ones that
/// do not fit 64 bits are doubles.
///
/// Throws BadRequest, whose message ends with "; at byte N", N from 0, and whose field is the JSON pointer of the value
/// that was being read, for what is no JSON by RFC 8259 (NaN and the like, control characters within strings, halves of
/// surrogate pairs, bytes that are not UTF-8, more text behind the value), a key twice in an object, a number that no
/// double is near (1e999, 1e-999), and what exceeds `limits`.
nlohmann::json parse_json(std::string_view text, const JsonLimits& limits = {});

/// "/key": one step of a JSON pointer, "~" and "/" escaped; printable, and cut where the key is long. Source: RFC 6901.
std::string pointer_step(std::string_view key);

}  // namespace amae::http
