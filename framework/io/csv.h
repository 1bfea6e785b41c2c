// RFC 4180 tables with line numbers, row by row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/text_window.h"

namespace amae {

/// Reads a table with a header row in one pass; memory is bounded by the longest row (at most 16 MiB, a cell at most
/// 1 MiB, 10,000 columns). A BOM, CRLF, lone CR, a missing final newline and blanks around the header's names are
/// accepted.
///
///   CsvReader table(path);
///   const size_t name = table.column("name");
///   while (table.next()) use(table.cells()[name], table.line());
///
/// Throws InputError (code "CSV", where = "file:line"): missing file, no header, a row with fewer or more cells than
/// the header, duplicate column names, a wrong quote, a cell or row over the limit, invalid UTF-8 (byte offset).
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Index of a column. Throws InputError naming the columns that exist.
  [[nodiscard]] size_t column(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const;

  /// Goes to the next row; false at the end. Blank lines at the end of a file carry nothing.
  bool next();
  /// Cells of the row, as many as the header has; valid until the next call of next().
  [[nodiscard]] const std::vector<std::string_view>& cells() const { return cells_; }
  [[nodiscard]] int64_t line() const { return line_; }  ///< 1-based, where the row starts

  /// Rows of the whole table, judged by those read so far; for reserving memory.
  [[nodiscard]] uint64_t expected_rows() const { return rows_ + window_.expected_rows(rows_); }
  [[nodiscard]] std::string where() const { return window_.where(); }

 private:
  struct Cell {
    size_t begin = 0, end = 0;  // within the window, without the quotes around it
    bool has_quotes = false;    // doubled ones, to be halved
  };
  bool read_row();
  bool scan_row();
  bool scan_quoted(size_t& at, int64_t& line);
  void check_row(size_t bytes) const;
  void check_length(size_t begin, size_t end, int64_t line) const;

  TextWindow window_;
  std::vector<std::string> header_;
  std::vector<Cell> found_;
  std::vector<std::string_view> cells_;
  int64_t line_ = 1;
  uint64_t rows_ = 0;
};

/// One line, quoted where needed, with "\n" at the end.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace amae
