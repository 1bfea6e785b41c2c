// The text of a file, a window at a time: tables of any length are read in memory that one row bounds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "io/regular_file.h"

namespace amae {

/// UTF-8 text of a regular file. A byte order mark is skipped; blanks and line ends at the end of the file are left
/// out. Memory: the window, which the reader lets grow to its longest row.
///
/// All errors are InputError (the given code, where = "file:line"): a missing file, bytes that are not UTF-8 (with
/// their offset), a file that shrinks meanwhile.
class TextWindow {
 public:
  TextWindow(const std::filesystem::path& path, const std::string& code);

  /// What is in memory from the present place on. Valid until the next more().
  [[nodiscard]] std::string_view text() const { return {buffer_.data() + begin_, end_ - begin_}; }
  /// The same bytes, for a reader that takes quotes out in place.
  [[nodiscard]] char* bytes() { return buffer_.data() + begin_; }

  /// True when nothing of the file is left behind the window.
  [[nodiscard]] bool is_last() const { return next_ == text_end_; }
  /// Reads on, at least as much as the window holds already: what starts anew after it costs amortised constant time a
  /// byte. False when there is nothing left.
  bool more();
  /// Moves the present place on by `count` bytes that held `line_breaks`.
  void skip(size_t count, int64_t line_breaks);

  [[nodiscard]] int64_t line() const { return line_; }  ///< 1-based, of the present place
  /// How many rows are still to come when the `rows` so far are like the others; for reserving memory.
  [[nodiscard]] uint64_t expected_rows(uint64_t rows) const;

  [[nodiscard]] std::string where() const { return file_.where(); }
  [[noreturn]] void refuse(int64_t line, const std::string& field, const std::string& message) const;

 private:
  [[nodiscard]] uint64_t find_text_end() const;
  void check_utf8();
  [[noreturn]] void refuse_utf8() const;  ///< the byte at checked_

  RegularFile file_;
  std::string code_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // the window within the buffer
  size_t checked_ = 0;          // up to here in the buffer all is UTF-8
  uint64_t next_ = 0;           // offset in the file of what follows the window
  uint64_t text_end_ = 0;       // offset in the file where only blanks follow
  int64_t line_ = 1;
};

/// Line ends in a text: LF, CR LF or a lone CR.
int64_t line_breaks_in(std::string_view text);

}  // namespace amae
