#include "config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "base/text.h"
#include "config/units.h"
#include "config/walk.h"

namespace amae::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text, size_t start) {
  size_t end = start;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - start;
}

/// The longest number at the start of a scalar and what follows it.
struct Number {
  std::string_view text;  ///< empty: no number
  std::string_view rest;
  bool is_integer = true;
};

/// -?(0|[1-9][0-9]*)?(.[0-9]+)?([eE][+-]?[0-9]+)? with digits before or after the point. A leading zero ends the
/// number: `010` is eight to some readers and ten to others.
Number split_number(std::string_view text) {
  size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const size_t whole = digits_at(text, at);
  const bool is_octal = whole > 1 && text[at] == '0';
  at += is_octal ? 1 : whole;
  bool is_integer = true;
  bool has_digits = whole > 0;
  if (!is_octal && at < text.size() && text[at] == '.' && digits_at(text, at + 1) > 0) {
    at += 1 + digits_at(text, at + 1);
    is_integer = false;
    has_digits = true;
  }
  if (!has_digits) return {{}, text};
  if (!is_octal && at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const size_t sign = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') ? 1 : 0;
    const size_t exponent = digits_at(text, at + 1 + sign);
    if (exponent > 0) {
      at += 1 + sign + exponent;
      is_integer = false;
    }
  }
  return {text.substr(0, at), text.substr(at), is_integer};
}

/// The factor of the text after a number; nothing when it is not a suffix of the unit.
std::optional<Suffix> find_suffix(std::string_view rest, const std::string& unit) {
  if (rest.empty()) return Suffix{};
  if (rest.front() == ' ') rest.remove_prefix(1);
  for (const Suffix& suffix : suffixes_of(unit)) {
    if (suffix.text == rest) return suffix;
  }
  return std::nullopt;
}

std::string hint(const Node& node, const Field& field, const Number& number) {
  if (node.kind != Node::Kind::scalar) return "";
  if (node.quoted && !number.text.empty()) return "; remove the quotes";
  if (number.text.empty() || number.rest.empty()) return "";
  std::vector<std::string> suffixes;
  for (const Suffix& suffix : suffixes_of(field.unit_name)) suffixes.emplace_back(suffix.text);
  const bool is_word = !is_digit(number.rest.front()) && number.rest.front() != '_';
  return !suffixes.empty() && is_word ? "; its suffixes are " + join(suffixes, ", ") : "";
}

Mistake wrong_type(const Node& node, const std::string& expected, const std::string& hint_text = "") {
  return {"CFG-TYPE", "got " + shown(node) + ", expected " + expected + hint_text};
}

std::string range_text(const Field& field) {
  const bool has_minimum = std::isfinite(field.minimum);
  const bool has_maximum = std::isfinite(field.maximum);
  std::string text;
  if (has_minimum && has_maximum) {
    text = " in " + bound_text(field.minimum) + ".." + bound_text(field.maximum);
  } else if (has_minimum) {
    text = " >= " + bound_text(field.minimum);
  } else if (has_maximum) {
    text = " <= " + bound_text(field.maximum);
  }
  if (field.unit_name.empty() || field.unit_name == "fraction") return text;
  return text + (text.empty() ? " of " : " ") + field.unit_name;
}

std::string text_expected(const Field& field) {
  if (!field.allowed.empty()) return "one of " + list_text(field.allowed);
  return field.is_path ? "a path" : "text";
}

template <class Value>
std::string element_text(const Field& field, bool is_plural) {
  if constexpr (std::is_same_v<Value, bool>) {
    return "true or false";
  } else if constexpr (std::is_same_v<Value, int64_t>) {
    return (is_plural ? "integers" : "an integer") + range_text(field);
  } else if constexpr (std::is_same_v<Value, double>) {
    return (is_plural ? "numbers" : "a number") + range_text(field);
  } else if (!is_plural || !field.allowed.empty()) {
    return is_plural ? "texts, each " + text_expected(field) : text_expected(field);
  } else {
    return field.is_path ? "paths" : "texts";
  }
}

template <class Value>
std::optional<Mistake> check_range(const Node& node, const Field& field, Value value) {
  const auto number = static_cast<double>(value);
  if (number >= field.minimum && number <= field.maximum) return std::nullopt;
  return Mistake{"CFG-RANGE", "got " + shown(node) + ", expected " + element_text<Value>(field, false)};
}

/// `number * numerator / denominator` as an integer, when it is one.
std::optional<int64_t> whole_product(const Number& number, const Suffix& suffix) {
  const char* begin = number.text.data();
  const char* end = begin + number.text.size();
  int64_t product = 0;
  if (number.is_integer && suffix.denominator == 1) {
    int64_t value = 0;
    if (std::from_chars(begin, end, value).ec != std::errc()) return std::nullopt;
    if (__builtin_mul_overflow(value, suffix.numerator, &product)) return std::nullopt;
    return product;
  }
  double value = 0;
  if (std::from_chars(begin, end, value).ec != std::errc()) return std::nullopt;
  value = value * static_cast<double>(suffix.numerator) / static_cast<double>(suffix.denominator);
  constexpr double kExact = 9007199254740992.0;  // 2^53: above it a double cannot tell neighbours apart
  // A decimal such as 22.05 k is off by one rounding, not more.
  if (std::abs(value) > kExact || std::abs(value - std::round(value)) > 1e-12 * std::abs(value)) return std::nullopt;
  return static_cast<int64_t>(std::round(value));
}

}  // namespace

std::string bound_text(double bound) {
  constexpr double kPlainIntegers = 1e15;
  if (std::abs(bound) < kPlainIntegers && bound == std::trunc(bound))
    return std::to_string(static_cast<int64_t>(bound));
  return number_text(bound);
}

std::optional<Mistake> read_scalar(const Node& node, const Field& field, bool& out) {
  const bool is_plain = node.kind == Node::Kind::scalar && !node.quoted;
  if (is_plain && (node.scalar == "true" || node.scalar == "false")) {
    out = node.scalar == "true";
    return std::nullopt;
  }
  return wrong_type(node, element_text<bool>(field, false));
}

std::optional<Mistake> read_scalar(const Node& node, const Field& field, int64_t& out) {
  const std::string expected = element_text<int64_t>(field, false);
  const Number number = split_number(node.kind == Node::Kind::scalar ? node.scalar : std::string_view());
  const std::optional<Suffix> suffix = find_suffix(number.rest, field.unit_name);
  const bool is_plain_integer = number.is_integer || !number.rest.empty();  // `22.05 kHz` is whole, `3.0` is not one
  if (number.text.empty() || !suffix || node.quoted || !is_plain_integer) {
    return wrong_type(node, expected, hint(node, field, number));
  }
  const std::optional<int64_t> value = whole_product(number, *suffix);
  if (!value) {
    const bool is_too_large = number.is_integer && suffix->denominator == 1;
    return Mistake{is_too_large ? "CFG-RANGE" : "CFG-TYPE", "got " + shown(node) + ", expected " + expected};
  }
  if (auto mistake = check_range(node, field, *value)) return mistake;
  out = *value;
  return std::nullopt;
}

std::optional<Mistake> read_scalar(const Node& node, const Field& field, double& out) {
  const std::string expected = element_text<double>(field, false);
  const Number number = split_number(node.kind == Node::Kind::scalar ? node.scalar : std::string_view());
  const std::optional<Suffix> suffix = find_suffix(number.rest, field.unit_name);
  if (number.text.empty() || !suffix || node.quoted) return wrong_type(node, expected, hint(node, field, number));
  double value = 0;
  const bool is_out_of_range =
      std::from_chars(number.text.data(), number.text.data() + number.text.size(), value).ec != std::errc();
  value = value * static_cast<double>(suffix->numerator) / static_cast<double>(suffix->denominator);
  if (is_out_of_range || !std::isfinite(value)) {
    return Mistake{"CFG-RANGE", "got " + shown(node) + ", expected " + expected + "; it does not fit a double"};
  }
  if (auto mistake = check_range(node, field, value)) return mistake;
  out = value;
  return std::nullopt;
}

std::optional<Mistake> read_scalar(const Node& node, const Field& field, std::string& out) {
  if (node.kind != Node::Kind::scalar) {
    const std::string hint_text = node.kind == Node::Kind::null ? "; write \"\" for empty text" : "";
    return wrong_type(node, text_expected(field), hint_text);
  }
  const auto& allowed = field.allowed;
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), node.scalar) == allowed.end()) {
    const std::string near = nearest(node.scalar, allowed);
    return Mistake{"CFG-CHOICE", "got " + shown(node) + ", expected " + text_expected(field) +
                                     (near.empty() ? "" : "; did you mean " + near + "?")};
  }
  out = node.scalar;
  if (!field.is_path || out.empty()) return std::nullopt;
  namespace fs = std::filesystem;
  const bool is_file = !node.mark.source.empty() && node.mark.source.front() != '<';
  const fs::path folder = is_file ? fs::path(node.mark.source).parent_path() : fs::path();
  out = fs::absolute(folder / out).lexically_normal().string();
  return std::nullopt;
}

std::string expected_text(const Field& field) {
  return std::visit(
      [&](const auto* value) -> std::string {
        using Value = std::remove_cv_t<std::remove_pointer_t<decltype(value)>>;
        if constexpr (std::is_same_v<Value, Component>) {
          return "the name of a " + (field.component_kind.empty() ? "component" : field.component_kind) +
                 " or a map with a name";
        } else if constexpr (std::is_same_v<Value, std::vector<Component>>) {
          return "a list of " + (field.component_kind.empty() ? "component" : field.component_kind) + "s";
        } else if constexpr (std::is_same_v<Value, std::vector<int64_t>> ||
                             std::is_same_v<Value, std::vector<double>> ||
                             std::is_same_v<Value, std::vector<std::string>>) {
          return "a list of " + element_text<typename Value::value_type>(field, true);
        } else {
          return element_text<Value>(field, false);
        }
      },
      field.value);
}

}  // namespace amae::config
