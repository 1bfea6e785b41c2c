#include "config/bytes.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"
#include "config/limits.h"
#include "config/tree.h"

namespace amae::config {
namespace {

constexpr size_t kMaxTabProblems = 8;

uint8_t byte_at(std::string_view text, size_t index) { return static_cast<uint8_t>(text[index]); }

std::string hex(uint8_t byte) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "0x%02X", byte);
  return buffer.data();
}

bool is_tab_indented(std::string_view line) {
  const size_t content = line.find_first_not_of(" \t\r");
  if (content == std::string_view::npos || line[content] == '#') return false;
  return line.substr(0, content).find('\t') != std::string_view::npos;
}

}  // namespace

std::vector<Problem> check_brackets(std::string_view text, const std::string& source, bool has_lines, size_t limit) {
  size_t open = 0;
  size_t deepest = 0;
  Mark mark{source, 0, 0};
  int line = 1;
  size_t line_start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      line_start = i + 1;
    } else if (c == ']' || c == '}') {
      open -= open > 0 ? 1 : 0;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++open);
      if (has_lines && deepest == limit + 1 && mark.line == 0) {
        mark = {source, line, column_of(text.substr(line_start), i - line_start)};
      }
    }
  }
  if (deepest <= limit) return {};
  return {limit_problem(mark.text(), "", std::to_string(deepest), limit, "nested maps and lists")};
}

int column_of(std::string_view line, size_t offset) {
  int column = 1;
  for (size_t i = 0; i < offset && i < line.size(); ++i) column += (byte_at(line, i) & 0xC0) != 0x80 ? 1 : 0;
  return column;
}

std::vector<Problem> check_bytes(std::string_view text, const std::string& source, bool has_lines) {
  std::vector<Problem> problems;
  int line_number = 0;
  for (size_t start = 0; start < text.size();) {
    ++line_number;
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    const auto add = [&](size_t offset, const std::string& message) {
      const Mark mark{source, has_lines ? line_number : 0, has_lines ? column_of(line, offset) : 0};
      problems.push_back({"CFG-SYNTAX", mark.text(), "", message});
    };
    for (size_t i = 0; i < line.size();) {
      const std::string at = " at byte " + std::to_string(start + i);
      const uint8_t byte = byte_at(line, i);
      const size_t length = utf8_length(line.substr(i));
      if (length == 0) {
        add(i, "got byte " + hex(byte) + at + ", expected UTF-8 text");
        return problems;
      }
      const bool ends_line = byte == '\r' && i + 1 == line.size() && end < text.size();
      if (byte == '\r' && !ends_line) {
        add(i, "got a carriage return" + at + ", expected line feeds to end lines");
        return problems;
      }
      if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7F) {
        add(i, "got " + (byte == 0 ? "a NUL byte" : "control byte " + hex(byte)) + at + ", expected text");
        return problems;
      }
      i += length;
    }
    if (is_tab_indented(line) && problems.size() < kMaxTabProblems) {
      add(line.find('\t'), "got a tab as indentation, expected spaces");
    }
    start = end + 1;
  }
  return problems;
}

}  // namespace amae::config
