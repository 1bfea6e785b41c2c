#include "config/emit.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "config/interpolate.h"

namespace amae::config {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Words that some YAML reader takes for a boolean, a null or a number.
bool is_reserved(const std::string& text) {
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 11> kWords{"true", "false", "yes",  "no",  "on", "off",
                                                    "y",    "n",     "null", "nan", "inf"};
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool is_plain_text(const std::string& text) {
  if (text.empty() || is_reserved(text) || !(is_letter(text[0]) || text[0] == '_' || text[0] == '/')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("_-./+").find(c) != std::string_view::npos;
  });
}

/// Numbers with their suffixes, which must stay without quotes to be read as numbers.
bool is_plain_number(const std::string& text) {
  const size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  const size_t point = text.size() > sign && text[sign] == '.' ? 1 : 0;
  if (text.size() <= sign + point || !is_digit(text[sign + point]) || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-.+% ").find(c) != std::string_view::npos;
  });
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02X", byte);
      result += escape.data();
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string scalar_text(const Node& node) {
  const bool stays_plain =
      !node.quoted && (is_plain_number(node.scalar) || node.scalar == "true" || node.scalar == "false");
  return stays_plain ? node.scalar : yaml_text(node.scalar);
}

}  // namespace

std::string yaml_text(const std::string& text) { return is_plain_text(text) ? text : quoted(escape_references(text)); }

std::string yaml_key(const std::string& key) { return is_plain_text(key) ? key : quoted(key); }

std::string yaml_flow(const Node& node) {
  std::string result;
  switch (node.kind) {
    case Node::Kind::null:
      return "~";
    case Node::Kind::scalar:
      return scalar_text(node);
    case Node::Kind::list:
      for (const NodePtr& item : node.list) result += (result.empty() ? "" : ", ") + yaml_flow(*item);
      return "[" + result + "]";
    case Node::Kind::map:
      for (const Entry& entry : node.map) {
        result += (result.empty() ? "" : ", ") + yaml_key(entry.key) + ": " + yaml_flow(*entry.value);
      }
      return "{" + result + "}";
  }
  return result;
}

std::vector<std::string> yaml_block(const Node& map, const std::vector<std::string>& left_out) {
  std::vector<std::string> lines;
  for (const Entry& entry : map.map) {
    if (std::find(left_out.begin(), left_out.end(), entry.key) != left_out.end()) continue;
    const std::vector<std::string> inner = yaml_entry(entry.key, *entry.value);
    lines.insert(lines.end(), inner.begin(), inner.end());
  }
  return lines;
}

std::vector<std::string> yaml_entry(const std::string& key, const Node& value) {
  const std::string label = yaml_key(key) + ":";
  if (value.kind == Node::Kind::map && !value.map.empty()) {
    std::vector<std::string> lines{label};
    append_indented(lines, yaml_block(value));
    return lines;
  }
  const bool has_maps = std::any_of(value.list.begin(), value.list.end(),
                                    [](const NodePtr& item) { return item->kind == Node::Kind::map; });
  if (!has_maps) return {label + " " + yaml_flow(value)};
  std::vector<std::string> lines{label};
  std::vector<std::string> items;
  for (const NodePtr& item : value.list) {
    const bool is_block = item->kind == Node::Kind::map && !item->map.empty();
    append_item(items, is_block ? yaml_block(*item) : std::vector<std::string>{yaml_flow(*item)});
  }
  append_indented(lines, items);
  return lines;
}

void append_indented(std::vector<std::string>& lines, const std::vector<std::string>& inner) {
  for (const std::string& line : inner) lines.push_back("  " + line);
}

void append_item(std::vector<std::string>& lines, const std::vector<std::string>& item) {
  for (size_t i = 0; i < item.size(); ++i) lines.push_back((i == 0 ? "- " : "  ") + item[i]);
}

}  // namespace amae::config
