// Which bytes HTTP allows where. Source: RFC 9110, sections 5.5 and 5.6.2; RFC 9112, section 3. (no LibTorch)
#pragma once

#include <string_view>

namespace amae::http {

/// May stand in a field's value: a tab, a blank, a visible character, or a byte beyond ASCII.
constexpr bool is_value_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

constexpr bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// May stand in a method or a field's name (tchar).
constexpr bool is_token_character(char c) {
  return is_visible(c) && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
}

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace amae::http
