#include "base/base64.h"

#include <array>
#include <cstdint>

namespace amae {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr uint32_t kWrong = uint32_t{1} << 24U;  // above the three bytes of a group

/// What a character adds to the three bytes of its group, for each of its four places; kWrong for those that are no
/// letters. Four tables spare the shifts and let one test judge four characters.
constexpr auto kValues = [] {
  std::array<std::array<uint32_t, 256>, 4> values{};
  for (size_t place = 0; place < 4; ++place) {
    values[place].fill(kWrong);
    for (uint32_t i = 0; i < kLetters.size(); ++i)
      values[place][static_cast<unsigned char>(kLetters[i])] = i << (18U - 6U * static_cast<uint32_t>(place));
  }
  return values;
}();

uint32_t value_at(std::string_view text, size_t at) { return kValues[at % 4][static_cast<unsigned char>(text[at])]; }

/// Of a text that does not decode.
size_t first_wrong(std::string_view text) {
  const size_t size = text.size();
  const size_t padding = size % 4 != 0 || !text.ends_with('=') ? 0 : text.ends_with("==") ? 2 : 1;
  for (size_t at = 0; at < size - padding; ++at) {
    if (value_at(text, at) == kWrong) return at;
  }
  return padding > 0 ? size - padding - 1 : size;  // bits behind the last byte, or letters that are missing
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])); };
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, to += 4) {
    const uint32_t group = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
    to[0] = kLetters[group >> 18U];
    to[1] = kLetters[group >> 12U & 63U];
    to[2] = kLetters[group >> 6U & 63U];
    to[3] = kLetters[group & 63U];
  }
  if (const size_t left = bytes.size() - at; left > 0) {  // one byte gives two letters, two give three
    const uint32_t group = byte(at) << 16U | (left == 2 ? byte(at + 1) << 8U : 0U);
    to[0] = kLetters[group >> 18U];
    to[1] = kLetters[group >> 12U & 63U];
    if (left == 2) to[2] = kLetters[group >> 6U & 63U];
  }
  return out;
}

std::optional<size_t> base64_decode(std::string_view text, std::string& bytes) {
  bytes.clear();
  const auto wrong = [&] {
    bytes.clear();
    return first_wrong(text);
  };
  if (text.size() % 4 != 0) return wrong();
  if (text.empty()) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(text.size() / 4 * 3 - padding);
  char* to = bytes.data();
  const size_t whole = text.size() - (padding > 0 ? 4 : 0);  // groups without padding
  for (size_t at = 0; at < whole; at += 4, to += 3) {
    const uint32_t group =
        value_at(text, at) | value_at(text, at + 1) | value_at(text, at + 2) | value_at(text, at + 3);
    if (group >= kWrong) return wrong();
    to[0] = static_cast<char>(group >> 16U);
    to[1] = static_cast<char>(group >> 8U);
    to[2] = static_cast<char>(group);
  }
  if (padding > 0) {
    const uint32_t group =
        value_at(text, whole) | value_at(text, whole + 1) | (padding == 1 ? value_at(text, whole + 2) : 0U);
    if (group >= kWrong || (group & (padding == 1 ? 0xFFU : 0xFFFFU)) != 0) return wrong();
    to[0] = static_cast<char>(group >> 16U);
    if (padding == 1) to[1] = static_cast<char>(group >> 8U);
  }
  return std::nullopt;
}

}  // namespace amae
