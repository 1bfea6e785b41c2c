// JSON of requests, beside nlohmann's own parser: what the strict one takes has the same value in both and when written
// out and read again, and lies within the limits; what it refuses breaks a limit or is refused by both.
#include <algorithm>

#include "amae/error.h"
#include "http/json.h"
#include "target.h"

namespace {

using nlohmann::json;

constexpr amae::http::JsonLimits kLimits = {.depth = 32, .values = 1'000};

size_t depth_of(const json& value) {
  size_t below = 0;
  if (!value.is_structured()) return 0;
  for (const json& part : value) below = std::max(below, depth_of(part));
  return below + 1;
}

size_t count_of(const json& value) {
  size_t count = 1;
  if (value.is_structured()) {
    for (const json& part : value) count += count_of(part);
  }
  return count;
}

/// True for what only the strict parser refuses: the other one also takes a NUL for the end of the text.
bool is_strict(std::string_view text, std::string_view message) {
  if (text.find('\0') != std::string_view::npos) return true;
  for (const char* reason : {"twice", "more than", "a double can hold", "byte order mark"}) {
    if (message.find(reason) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

AMAE_FUZZ_TARGET(json)(const uint8_t* data, size_t size) {
  const std::string_view text = amae::fuzz::text_of(data, size);
  try {
    const json value = amae::http::parse_json(text, kLimits);
    amae::fuzz::require(depth_of(value) <= kLimits.depth, "depth is limited");
    amae::fuzz::require(count_of(value) <= kLimits.values, "the number of values is limited");
    amae::fuzz::require(json::parse(text) == value, "both parsers read the same value");
    amae::fuzz::require(amae::http::parse_json(value.dump(), kLimits) == value, "what is written out is read again");
  } catch (const amae::Error& refused) {
    const std::string& message = refused.problems().at(0).message;
    const std::string& field = refused.problems().at(0).field;
    amae::fuzz::require(message.size() < 500 && field.size() < 10'000, "messages are short");
    amae::fuzz::require(message.find("; at byte ") != std::string::npos, "the offset is told");
    for (const char c : message + field)
      amae::fuzz::require(static_cast<unsigned char>(c) >= 0x20, "messages are one line");
    amae::fuzz::require(is_strict(text, message) || !json::accept(text), "what only one parser refuses breaks a limit");
  }
  return 0;
}
