#include "io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr size_t kMaxCellBytes = size_t{1} << 20U;
constexpr size_t kMaxRowBytes = size_t{1} << 24U;
constexpr size_t kMaxColumns = 10'000;

// What ends or spoils a cell without quotes.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (const char c : {',', '"', '\r', '\n'}) special[static_cast<unsigned char>(c)] = true;
  return special;
}();

std::string listed(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const auto& name : names) shown.push_back(printable(name));
  return join(shown, ", ");
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& path) : window_(path, "CSV") {
  if (!read_row()) window_.refuse(1, "", "got no header, expected a line with column names");
  for (const auto& name : cells_) header_.push_back(trimmed(name));
  for (size_t i = 0; i < header_.size(); ++i) {
    const auto first = std::find(header_.begin(), header_.end(), header_[i]) - header_.begin();
    if (static_cast<size_t>(first) != i) {
      window_.refuse(
          1, printable(header_[i]),
          fmt::format("got this column name for columns {} and {}, expected different names", first + 1, i + 1));
    }
  }
}

bool CsvReader::next() {
  if (!read_row()) return false;
  if (cells_.size() != header_.size()) {
    window_.refuse(line_, "",
                   fmt::format("got {} cells, expected {} ({})", cells_.size(), header_.size(), listed(header_)));
  }
  ++rows_;
  return true;
}

bool CsvReader::read_row() {
  if (window_.text().empty() && !window_.more()) return false;
  line_ = window_.line();
  while (!scan_row()) window_.more();
  return true;
}

// Finds the cells of the row at the start of the window and goes behind it. False when the window ends before it does.
bool CsvReader::scan_row() {
  const std::string_view text = window_.text();
  size_t at = 0;
  int64_t line = line_;
  found_.clear();
  for (;;) {
    if (found_.size() == kMaxColumns) {
      window_.refuse(line_, "", fmt::format("got more than {} cells in a row, expected fewer", kMaxColumns));
    }
    if (at == text.size() && !window_.is_last()) break;
    if (at < text.size() && text[at] == '"') {
      if (!scan_quoted(at, line)) break;
    } else {
      const size_t begin = at;
      while (at < text.size() && !kSpecial[static_cast<unsigned char>(text[at])]) ++at;
      check_length(begin, at, line);
      if (at < text.size() && text[at] == '"') {
        window_.refuse(
            line, "", "got a quote inside an unquoted field, expected the whole field in quotes with \"\" for a quote");
      }
      found_.push_back({begin, at, false});
    }
    if (at >= text.size()) {
      if (!window_.is_last()) break;
    } else if (text[at] == ',') {
      ++at;
      continue;
    } else {
      if (text[at] == '\r') {
        if (at + 1 == text.size() && !window_.is_last()) break;  // a line feed may follow
        if (text.substr(at + 1, 1) == "\n") ++at;
      }
      ++at;
      ++line;
    }
    check_row(at);
    cells_.clear();
    char* const bytes = window_.bytes();
    for (auto [begin, end, has_quotes] : found_) {
      if (has_quotes) {
        size_t to = begin;
        for (size_t from = begin; from < end; ++from) {
          bytes[to++] = bytes[from];
          if (bytes[from] == '"') ++from;
        }
        end = to;
      }
      cells_.emplace_back(bytes + begin, end - begin);
    }
    window_.skip(at, line - line_);
    return true;
  }
  check_row(text.size());
  return false;
}

// The cell whose opening quote stands at `at`; goes behind its closing quote. False when the window ends before.
bool CsvReader::scan_quoted(size_t& at, int64_t& line) {
  const std::string_view text = window_.text();
  const size_t begin = at + 1;
  size_t end = begin;
  bool has_quotes = false;
  for (;;) {
    end = text.find('"', end);
    if (end == std::string_view::npos) {
      check_length(begin, text.size(), line);
      if (!window_.is_last()) return false;
      window_.refuse(line, "", "got a quote that is never closed, expected a closing quote");
    }
    if (end + 1 == text.size() && !window_.is_last()) return false;
    if (text.substr(end + 1, 1) != "\"") break;
    has_quotes = true;
    end += 2;
  }
  check_length(begin, end, line);
  found_.push_back({begin, end, has_quotes});
  line += line_breaks_in(text.substr(begin, end - begin));
  at = end + 1;
  if (at < text.size() && text[at] != ',' && text[at] != '\r' && text[at] != '\n') {
    window_.refuse(line, "", "got text after a closing quote, expected a comma or the end of the line");
  }
  return true;
}

void CsvReader::check_row(size_t bytes) const {
  if (bytes <= kMaxRowBytes) return;
  window_.refuse(line_, "", fmt::format("got a row over {} MiB, expected a shorter one", kMaxRowBytes >> 20U));
}

void CsvReader::check_length(size_t begin, size_t end, int64_t line) const {
  if (end - begin > kMaxCellBytes) window_.refuse(line, "", "got a field over 1 MiB, expected a shorter one");
}

bool CsvReader::has(const std::string& name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

size_t CsvReader::column(const std::string& name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found != header_.end()) return static_cast<size_t>(found - header_.begin());
  const std::string close = nearest(name, header_);
  throw InputError("CSV", fmt::format("{}:1", where()), printable(name),
                   fmt::format("got no such column, expected one of {}{}", listed(header_),
                               close.empty() ? "" : "; did you mean " + printable(close) + "?"));
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string& cell = cells[i];
    if (i > 0) line += ',';
    // A lone empty cell would be a blank line; blanks at the ends get lost in spreadsheets, and at the end of a file.
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    const bool quote = cell.find_first_of(",\"\r\n") != std::string::npos || (cells.size() == 1 && cell.empty()) ||
                       (!cell.empty() && (is_blank(cell.front()) || is_blank(cell.back())));
    if (!quote) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char c : cell) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line + "\n";
}

}  // namespace amae
