// Why not nlohmann's own parser with a SAX handler: it keeps each string twice while it reads it, in buffers that grow
// by doubling, and copies both into its message when one is wrong. For a sound of 40 MB as base64 that is 96 MB and
// 0.5 s, here 38 MB and 0.09 s. Its messages also quote without bounds, and its offsets count what it looked ahead.
// tests/fuzz/json_fuzz.cpp holds this reader against it: both must take the same texts, and for the same values.
#include "http/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/bad_request.h"
#include "http/characters.h"

namespace amae::http {
namespace {

using nlohmann::json;

constexpr size_t kWordBytes = 24;  // of what is no JSON, in a message

bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

void add_utf8(uint32_t point, std::string& out) {
  const auto add = [&](uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  const auto add_rest = [&](uint32_t shift) { add(0x80U | (point >> shift & 0x3FU)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0U | point >> 6U);
    add_rest(0);
  } else if (point < 0x10000) {
    add(0xE0U | point >> 12U);
    add_rest(6);
    add_rest(0);
  } else {
    add(0xF0U | point >> 18U);
    add_rest(12);
    add_rest(6);
    add_rest(0);
  }
}

class JsonReader {
 public:
  JsonReader(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  json read() {
    if (text_.starts_with("\xEF\xBB\xBF")) refuse(0, "got a byte order mark, expected JSON without");
    json root;
    skip_space();
    read_value(root);
    skip_space();
    if (at_ < text_.size()) fail("the end of the text");
    return root;
  }

 private:
  struct Step {
    const std::string* key;  // null: within a list
    size_t index;
  };

  [[noreturn]] void refuse(size_t at, const std::string& message) const {
    std::string pointer;
    for (const Step& step : steps_)
      pointer += step.key != nullptr ? pointer_step(*step.key) : "/" + std::to_string(step.index);
    throw BadRequest(pointer, message + "; at byte " + std::to_string(at));
  }

  /// About what stands here.
  [[noreturn]] void fail(const std::string& expected) const {
    const std::string_view rest = text_.substr(at_);
    size_t length = 0;
    while (length < kWordBytes && length < rest.size() && is_word(rest[length])) ++length;
    if (length == 0 && !rest.empty()) length = std::max<size_t>(1, utf8_length(rest));
    refuse(at_, "got " + (rest.empty() ? "the end of the text" : printable(rest.substr(0, length))) + ", expected " +
                    expected);
  }

  /// The end reads as NUL, which stands nowhere in JSON.
  [[nodiscard]] char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }

  void read_value(json& out) {
    if (++values_ > limits_.values)
      refuse(at_, "got more than " + std::to_string(limits_.values) + " values, expected at most as many");
    switch (peek()) {
      case '{':
        return read_object(out);
      case '[':
        return read_list(out);
      case '"':
        out = read_string();
        return;
      case 't':
        return read_word("true", true, out);
      case 'f':
        return read_word("false", false, out);
      case 'n':
        return read_word("null", nullptr, out);
      default:
        if (peek() != '-' && !is_digit(peek())) fail("a value");
        out = read_number();
    }
  }

  void read_word(std::string_view word, json value, json& out) {
    if (text_.substr(at_, word.size()) != word) fail("a value");
    at_ += word.size();
    out = std::move(value);
  }

  void go_deeper() {
    if (steps_.size() >= limits_.depth)
      refuse(at_, "got more than " + std::to_string(limits_.depth) + " levels, expected at most as many");
    ++at_;
    skip_space();
  }

  void read_object(json& out) {
    go_deeper();
    out = json::object();
    if (take('}')) return;
    auto& members = out.get_ref<json::object_t&>();
    do {
      skip_space();
      if (peek() != '"') fail("a key in quotes");
      const size_t begin = at_;
      const auto [member, is_new] = members.try_emplace(read_string());
      steps_.push_back({&member->first, 0});
      if (!is_new) refuse(begin, "got this key twice in one object, expected it once");
      skip_space();
      if (!take(':')) fail("a colon");
      skip_space();
      read_value(member->second);
      steps_.pop_back();
      skip_space();
    } while (take(','));
    if (!take('}')) fail("a comma or }");
  }

  void read_list(json& out) {
    go_deeper();
    out = json::array();
    if (take(']')) return;
    auto& items = out.get_ref<json::array_t&>();
    do {
      skip_space();
      steps_.push_back({nullptr, items.size()});
      read_value(items.emplace_back());
      steps_.pop_back();
      skip_space();
    } while (take(','));
    if (!take(']')) fail("a comma or ]");
  }

  std::string read_string() {
    ++at_;  // the quote
    std::string out;
    while (true) {
      const size_t begin = at_;
      skip_plain();
      const std::string_view plain = text_.substr(begin, at_ - begin);
      if (take('"')) {
        if (out.empty()) return std::string(plain);  // exactly as large as it must be
        out += plain;
        return out;
      }
      if (peek() != '\\') fail(at_ < text_.size() ? "text; a control character is written as an escape" : "a quote");
      if (out.empty()) out.reserve(raw_length(begin));
      out += plain;
      read_escape(out);
    }
  }

  /// Up to a quote, a backslash, a control character or the end.
  void skip_plain() {
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte < 0x80) {
        if (byte < 0x20 || byte == '"' || byte == '\\') return;
        ++at_;
        continue;
      }
      const size_t length = utf8_length(text_.substr(at_));
      if (length == 0) fail("UTF-8");
      at_ += length;
    }
  }

  /// To the closing quote or the end, escapes as they are written: never less than what they stand for.
  [[nodiscard]] size_t raw_length(size_t begin) const {
    size_t end = begin;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    return std::min(end, text_.size()) - begin;
  }

  void read_escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (peek(1) == 'u') return add_utf8(read_code_point(), out);
    const size_t found = kNames.find(peek(1));
    if (found == std::string_view::npos) {
      ++at_;
      fail("an escape such as \\n or \\u000A");
    }
    out += kMeanings[found];
    at_ += 2;
  }

  /// Of \uXXXX, or of two that are a surrogate pair.
  uint32_t read_code_point() {
    const size_t begin = at_;
    const uint32_t first = read_unit();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
      const uint32_t second = read_unit();
      if (second >= 0xDC00 && second <= 0xDFFF) return 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U);
    }
    refuse(begin, "got " + std::string(text_.substr(begin, 6)) + ", half of a surrogate pair, expected both halves");
  }

  uint32_t read_unit() {
    at_ += 2;
    uint32_t unit = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    at_ += static_cast<size_t>(end - digits.data());
    if (error != std::errc() || end != digits.data() + 4) fail("four hexadecimal digits");
    return unit;
  }

  void skip_digits() {
    if (!is_digit(peek())) fail("a digit");
    while (is_digit(peek())) ++at_;
  }

  json read_number() {
    const size_t begin = at_;
    const bool is_negative = take('-');
    if (!take('0')) skip_digits();
    const size_t whole_end = at_;
    if (take('.')) skip_digits();
    const size_t mantissa_end = at_;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      skip_digits();
    }
    const std::string_view number = text_.substr(begin, at_ - begin);
    if (at_ == whole_end) {
      if (const auto value = is_negative ? number_as<int64_t, json>(number) : number_as<uint64_t, json>(number))
        return *value;
    }
    const std::optional<double> value = number_as<double, double>(number);
    const bool is_zero = text_.substr(begin, mantissa_end - begin).find_first_of("123456789") == std::string_view::npos;
    if (!value || !std::isfinite(*value) || (*value == 0 && !is_zero))
      refuse(begin, "got " + shown(number) + ", expected a number that a double can hold");
    return *value;
  }

  template <class Number, class Result>
  static std::optional<Result> number_as(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return Result(number);
  }

  std::string_view text_;
  JsonLimits limits_;
  size_t at_ = 0;
  size_t values_ = 0;
  std::vector<Step> steps_;  // to the value that is being read
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const JsonLimits& limits) { return JsonReader(text, limits).read(); }

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : shown(key)) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

}  // namespace amae::http
