// RFC 4180 tables with line numbers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace amae {

/// A table with a header row. A BOM, CRLF, lone CR and a missing final newline are accepted.
class CsvTable {
 public:
  struct Row {
    int line = 0;  ///< 1-based line of the file where the row starts
    std::vector<std::string> cells;
  };
  /// Throws InputError (code "CSV", where = "file:line"): missing file, no header, a row with fewer or more cells than
  /// the header, duplicate column names, an unterminated quote, a field over 1 MiB, invalid UTF-8 (byte offset).
  static CsvTable read(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  /// Index of a column. Throws InputError naming the columns that exist.
  [[nodiscard]] size_t column(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const;

 private:
  std::string path_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

/// One line, quoted where needed, with "\n" at the end.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace amae
