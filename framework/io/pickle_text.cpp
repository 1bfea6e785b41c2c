#include "io/pickle_text.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace amae {
namespace {

constexpr const char* kCutText = "got a text without an end (the pickle is cut)";
constexpr uint32_t kNoDigits = UINT32_MAX;

constexpr std::array<int8_t, 256> make_hex_digits() {
  std::array<int8_t, 256> digits{};
  for (auto& digit : digits) digit = -1;
  for (int i = 0; i < 10; ++i) digits[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    digits[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
    digits[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
  }
  return digits;
}
constexpr std::array<int8_t, 256> kHexDigits = make_hex_digits();

int hex_digit(char c) { return kHexDigits[static_cast<unsigned char>(c)]; }

/// The number that all of `digits` write; kNoDigits when one is none.
uint32_t hex_number(std::string_view digits) {
  uint32_t number = 0;
  for (const char c : digits) {
    if (hex_digit(c) < 0) return kNoDigits;
    number = number << 4 | static_cast<uint32_t>(hex_digit(c));
  }
  return number;
}

/// Writes one character as UTF-8 and returns its length; 0 for what is no character.
size_t put_utf8(uint32_t point, char* target) {
  const auto part = [&](int shift) { return static_cast<char>(0x80U | (point >> shift & 0x3FU)); };
  if (point < 0x80) return target[0] = static_cast<char>(point), 1;
  if (point < 0x800) return target[0] = static_cast<char>(0xC0U | point >> 6), target[1] = part(0), 2;
  if (point >= 0xD800 && point < 0xE000) return 0;
  if (point < 0x10000)
    return target[0] = static_cast<char>(0xE0U | point >> 12), target[1] = part(6), target[2] = part(0), 3;
  if (point > 0x10FFFF) return 0;
  target[0] = static_cast<char>(0xF0U | point >> 18);
  target[1] = part(12);
  target[2] = part(6);
  target[3] = part(0);
  return 4;
}

/// How far one window was decoded: bytes read, bytes written, and null to go on, "" at the end, or what is wrong.
struct Step {
  size_t from = 0, to = 0;
  const char* verdict = nullptr;
};

/// Decodes a window after another with `decode(text, is_last, target)`, which writes at most `growth` bytes a byte.
template <class Decode>
const char* decode_windows(PickleSource& source, GrowingBytes& out, size_t growth, const Decode& decode) {
  while (true) {
    const std::string_view text = source.look(PickleSource::kWindow / 2);
    const bool is_last = text.size() == source.left();
    const Step step = decode(text, is_last, out.room(growth * text.size()));
    out.added(step.to);
    source.skip(step.from);
    if (step.verdict != nullptr) return *step.verdict == '\0' ? nullptr : step.verdict;
    if (is_last) return kCutText;
  }
}

struct Escape {
  int value;      ///< the byte that it stands for; -1: repr() never writes it
  size_t length;  ///< also of one that the window cuts
};

/// The escape at the start of `text`, which is a backslash.
Escape escape_at(std::string_view text) {
  const char kind = text.size() > 1 ? text[1] : 'n';
  if (kind == 'x') {
    if (text.size() < 4) return {0, 4};
    const int high = hex_digit(text[2]), low = hex_digit(text[3]);
    return {high < 0 || low < 0 ? -1 : high << 4 | low, 4};
  }
  constexpr std::string_view kEscapes = "\\'\"nrt", kMeanings = "\\'\"\n\r\t";
  const size_t known = kEscapes.find(kind);
  return {known == std::string_view::npos ? -1 : kMeanings[known], 2};
}

Step decode_quoted(char quote, std::string_view text, bool is_last, char* target) {
  size_t from = 0, to = 0;
  while (from < text.size()) {
    const char c = text[from];
    if (c != '\\' && c != quote && c != '\n') {
      target[to++] = c;
      ++from;
      continue;
    }
    if (c == '\n') return {from, to, "got a line's end within a text, expected \\n"};
    const Escape escape = c == quote ? Escape{0, 2} : escape_at(text.substr(from));
    if (text.size() - from < escape.length) return {from, to, is_last ? kCutText : nullptr};
    if (c == quote) {
      const bool is_end = text[from + 1] == '\n';
      return {from + 2, to, is_end ? "" : "got more behind the quote that ends a text, expected its line's end"};
    }
    if (escape.value < 0)
      return {from, to, "got an escape that repr() never writes, expected \\xNN, \\n, \\r, \\t, \\\\, \\' or \\\""};
    target[to++] = static_cast<char>(escape.value);
    from += escape.length;
  }
  return {from, to, nullptr};
}

Step decode_raw_unicode(std::string_view text, bool is_last, char* target) {
  size_t from = 0, to = 0;
  while (from < text.size()) {
    const char c = text[from];
    if (c == '\n') return {from + 1, to, ""};
    if (c != '\\') {
      to += put_utf8(static_cast<unsigned char>(c), target + to);
      ++from;
      continue;
    }
    if (text.size() - from < 10 && !is_last) break;
    const char escape = text.size() - from < 2 ? '\n' : text[from + 1];
    if (escape != 'u' && escape != 'U') {  // a lone backslash stands for itself, and so does a second one
      const size_t count = escape == '\\' ? 2 : 1;
      for (size_t i = 0; i < count; ++i) target[to++] = '\\';
      from += count;
      continue;
    }
    const size_t digits = escape == 'u' ? 4 : 8;
    const std::string_view number = text.substr(from + 2, digits);
    const size_t length = put_utf8(number.size() == digits ? hex_number(number) : kNoDigits, target + to);
    if (length == 0) return {from, to, "got \\u without the hexadecimal digits of a character"};
    to += length;
    from += 2 + digits;
  }
  return {from, to, nullptr};
}

}  // namespace

const char* read_quoted(PickleSource& source, GrowingBytes& out) {
  const std::string_view start = source.look(1);
  if (start.empty()) return kCutText;
  const char quote = start[0];
  if (quote != '\'' && quote != '"') return "got a text that begins with no quote, expected one as repr() writes it";
  source.skip(1);
  return decode_windows(source, out, 1, [quote](std::string_view text, bool is_last, char* target) {
    return decode_quoted(quote, text, is_last, target);
  });
}

const char* read_raw_unicode(PickleSource& source, GrowingBytes& out) {
  return decode_windows(source, out, 2, decode_raw_unicode);  // a byte from 0x80 on becomes two
}

size_t latin1_in_place(char* text, size_t size) {
  size_t to = 0;
  for (size_t from = 0; from < size; ++from) {
    const auto c = static_cast<unsigned char>(text[from]);
    if (c < 0x80) {
      text[to++] = static_cast<char>(c);
      continue;
    }
    if (c > 0xC3 || from + 1 >= size) return SIZE_MAX;
    text[to++] = static_cast<char>((c & 3U) << 6 | (static_cast<unsigned char>(text[++from]) & 0x3FU));
  }
  return to;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    uint64_t eight = 0;
    if (text.size() >= sizeof eight) {  // most texts are ASCII
      std::memcpy(&eight, text.data(), sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        text.remove_prefix(sizeof eight);
        continue;
      }
    }
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace amae
