#include "io/text_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr size_t kBlock = size_t{1} << 18U;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Length of the well-formed UTF-8 at the start.
size_t utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {  // most tables are ASCII
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const size_t length = utf8_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace

int64_t line_breaks_in(std::string_view text) {
  int64_t count = std::count(text.begin(), text.end(), '\n');
  for (size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') ++count;
  }
  return count;
}

TextWindow::TextWindow(const std::filesystem::path& path, const std::string& code)
    : file_(path, code), code_(code), text_end_(find_text_end()) {
  std::array<char, 3> head{};
  const std::string_view start(head.data(), file_.read_some(0, head.data(), head.size()));
  if (start == kByteOrderMark && text_end_ >= start.size()) next_ = start.size();
}

uint64_t TextWindow::find_text_end() const {
  std::string block(kBlock, '\0');
  for (uint64_t end = file_.size(); end > 0;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(end, kBlock));
    file_.read(end - count, block.data(), count);
    const size_t last = std::string_view(block.data(), count).find_last_not_of(" \t\r\n");
    if (last != std::string_view::npos) return end - count + last + 1;
    end -= count;
  }
  return 0;
}

bool TextWindow::more() {
  if (is_last()) return false;
  const size_t held = end_ - begin_;
  const auto count = static_cast<size_t>(std::min<uint64_t>(text_end_ - next_, std::max(kBlock, held)));
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, held);
  checked_ -= begin_;
  begin_ = 0;
  end_ = held + count;
  if (buffer_.size() < end_) buffer_.resize(end_);
  file_.read(next_, buffer_.data() + held, count);
  next_ += count;
  check_utf8();
  return true;
}

void TextWindow::check_utf8() {
  const std::string_view unchecked(buffer_.data() + checked_, end_ - checked_);
  const size_t good = utf8_prefix(unchecked);
  checked_ += good;
  const size_t rest = unchecked.size() - good;
  if (rest == 0 || (rest < 4 && !is_last())) return;  // the end of the window may cut a character
  refuse_utf8();
}

void TextWindow::refuse_utf8() const {
  const size_t rest = end_ - checked_;
  std::array<char, 2> head{};
  file_.read_some(0, head.data(), head.size());
  const std::string_view mark(head.data(), head.size());
  refuse(
      line_ + line_breaks_in(text().substr(0, checked_ - begin_)), "",
      fmt::format("got a byte that is not UTF-8 at byte offset {}, expected UTF-8 text; {}", next_ - rest,
                  mark == "\xFF\xFE" || mark == "\xFE\xFF" ? "the file looks like UTF-16" : "save the file as UTF-8"));
}

void TextWindow::skip(size_t count, int64_t line_breaks) {
  if (begin_ + count > checked_) refuse_utf8();  // it looked like a cut character, and text went on behind it
  begin_ += count;
  line_ += line_breaks;
}

uint64_t TextWindow::expected_rows(uint64_t rows) const {
  const uint64_t done = next_ - (end_ - begin_);
  return done == 0 ? 0
                   : static_cast<uint64_t>(static_cast<double>(text_end_ - done) / static_cast<double>(done) *
                                           static_cast<double>(rows));
}

void TextWindow::refuse(int64_t line, const std::string& field, const std::string& message) const {
  throw InputError(code_, fmt::format("{}:{}", where(), line), field, message);
}

}  // namespace amae
