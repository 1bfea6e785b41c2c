#include "io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "amae/error.h"
#include "base/text.h"
#include "io/regular_file.h"

namespace amae {
namespace {

constexpr size_t kMaxFieldBytes = size_t{1} << 20U;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 32U;

// Offset of the first byte that does not belong to well-formed UTF-8, or nothing.
std::optional<size_t> first_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

class Parser {
 public:
  Parser(std::string_view text, std::string path)
      : text_(text), path_(std::move(path)), content_end_(text.find_last_not_of(" \t\r\n") + 1) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] bool only_blanks_left() const { return at_ >= content_end_; }

  CsvTable::Row row() {
    CsvTable::Row row;
    row.line = line_;
    while (true) {
      row.cells.push_back(!at_end() && text_[at_] == '"' ? quoted() : plain());
      if (at_end()) return row;
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      line_break();
      return row;
    }
  }

  [[noreturn]] void refuse(int line, const std::string& field, const std::string& message) const {
    throw InputError("CSV", fmt::format("{}:{}", path_, line), field, message);
  }

 private:
  std::string plain() {
    const size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
    if (end < text_.size() && text_[end] == '"') {
      refuse(line_, "",
             "got a quote inside an unquoted field, expected the whole field in quotes with \"\" for a quote");
    }
    if (end - at_ > kMaxFieldBytes) too_long(line_);
    const size_t begin = std::exchange(at_, end);
    return std::string(text_.substr(begin, end - begin));
  }

  std::string quoted() {
    const int opened = line_;
    std::string cell;
    ++at_;
    while (true) {
      if (at_end()) refuse(opened, "", "got a quote that is never closed, expected a closing quote");
      if (cell.size() > kMaxFieldBytes) too_long(opened);
      const char c = text_[at_];
      if (c != '"') {
        if (c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) != "\n")) ++line_;
        cell.push_back(c);
        ++at_;
      } else if (text_.substr(at_ + 1, 1) == "\"") {
        cell.push_back('"');
        at_ += 2;
      } else {
        ++at_;
        break;
      }
    }
    if (!at_end() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
      refuse(line_, "", "got text after a closing quote, expected a comma or the end of the line");
    }
    return cell;
  }

  void line_break() {
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++line_;
  }

  [[noreturn]] void too_long(int line) const { refuse(line, "", "got a field over 1 MiB, expected a shorter one"); }

  std::string_view text_;
  std::string path_;
  size_t content_end_ = 0;  // what follows is blank
  size_t at_ = 0;
  int line_ = 1;
};

std::string listed(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const auto& name : names) shown.push_back(printable(name));
  return join(shown, ", ");
}

}  // namespace

CsvTable CsvTable::read(const std::filesystem::path& path) {
  const RegularFile file(path, "CSV");
  CsvTable table;
  table.path_ = file.where();
  const std::string content = file.read_all(kMaxFileBytes);
  std::string_view text = content;
  if (const auto bad = first_invalid_utf8(text)) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
    const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
    throw InputError("CSV", fmt::format("{}:{}", table.path_, line), "",
                     fmt::format("got a byte that is not UTF-8 at byte offset {}, expected UTF-8 text; {}", *bad,
                                 utf16 ? "the file looks like UTF-16" : "save the file as UTF-8"));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);

  Parser parser(text, table.path_);
  if (parser.only_blanks_left()) parser.refuse(1, "", "got no header, expected a line with column names");
  table.header_ = parser.row().cells;
  for (size_t i = 0; i < table.header_.size(); ++i) {
    const auto first = std::find(table.header_.begin(), table.header_.end(), table.header_[i]) - table.header_.begin();
    if (static_cast<size_t>(first) != i) {
      parser.refuse(
          1, printable(table.header_[i]),
          fmt::format("got this column name for columns {} and {}, expected different names", first + 1, i + 1));
    }
  }
  while (!parser.only_blanks_left()) {  // blank lines at the end of a file carry nothing
    Row row = parser.row();
    if (row.cells.size() != table.header_.size()) {
      parser.refuse(
          row.line, "",
          fmt::format("got {} cells, expected {} ({})", row.cells.size(), table.header_.size(), listed(table.header_)));
    }
    table.rows_.push_back(std::move(row));
  }
  return table;
}

bool CsvTable::has(const std::string& name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

size_t CsvTable::column(const std::string& name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found != header_.end()) return static_cast<size_t>(found - header_.begin());
  const std::string close = nearest(name, header_);
  throw InputError("CSV", path_, printable(name),
                   fmt::format("got no such column, expected one of {}{}", listed(header_),
                               close.empty() ? "" : "; did you mean " + printable(close) + "?"));
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string& cell = cells[i];
    if (i > 0) line += ',';
    // A lone empty cell would be a blank line; blanks at the ends get lost in spreadsheets.
    const bool quote = cell.find_first_of(",\"\r\n") != std::string::npos || (cells.size() == 1 && cell.empty()) ||
                       (!cell.empty() && (cell.front() == ' ' || cell.back() == ' '));
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
