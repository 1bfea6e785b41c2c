// The rows of a table as text, found one by one: a million of them are a block of text and where each begins, and
// nothing is taken apart before it is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amae {

/// items.csv of an embedding store: RFC 4180 with a header row, lines ending in "\n". In memory: the text and 8 bytes a
/// row.
class Items {
 public:
  /// `text` is the whole file; `where` is its name in errors. Throws InputError (code "STORE") for a table without a
  /// header row or with a quote that is never closed.
  Items(std::string text, std::string where);

  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(ends_.size()) - 1; }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] bool has(const std::string& column) const;
  /// Number of a column. Throws InputError (field `field`) that names the nearest and all that exist.
  [[nodiscard]] size_t column(const std::string& name, const std::string& field = "") const;

  /// Cells of row 0..rows() - 1, as many as there are columns; a row with fewer has empty ones.
  [[nodiscard]] std::vector<std::string> cells(int64_t row) const;
  [[nodiscard]] std::string cell(int64_t row, size_t column) const;
  /// The line of the file that row `row` is, without its line break.
  [[nodiscard]] std::string_view text(int64_t row) const;

  /// The first row whose cell in `column` is `value`, or -1.
  [[nodiscard]] int64_t find(size_t column, const std::string& value) const;

 private:
  std::string text_, where_;
  std::vector<std::string> columns_;
  std::vector<uint64_t> ends_;  ///< of the header and of each row, behind its line break
};

/// Conditions on columns, as `--where` takes them: "fold=1", "label!=dog", "snr>=10".
class Filter {
 public:
  /// Of conditions on one column with "=" any may hold; all others must. Comparisons are of numbers; "=" and "!=" are
  /// of numbers where both are, else of text. Throws InputError (field "--where") for what is no condition.
  explicit Filter(const std::vector<std::string>& conditions);

  [[nodiscard]] bool empty() const { return conditions_.empty(); }
  /// The rows that fulfil it, ascending. Throws InputError for a column that is not there.
  [[nodiscard]] std::vector<int64_t> rows(const Items& items) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Condition {
    std::string column, relation, value;
    double number = 0;
    bool is_number = false;
    [[nodiscard]] bool holds(std::string_view cell) const;
  };
  std::vector<Condition> conditions_;
  std::string text_;
};

}  // namespace amae
