#include "io/npy_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "base/text.h"

namespace amae {
namespace {

constexpr uint64_t kMaxNpyHeader = 10'000;  // numpy's own limit for headers that nobody vouches for
constexpr size_t kMaxNpyAxes = 64;          // numpy 2

/// The header: a Python dict of exactly three keys, written as a literal. Anything else that Python could read there is
/// refused, so no other grammar is needed.
class NpyHeaderReader {
 public:
  NpyHeaderReader(const ByteSource& source, std::string_view text) : source_(source), text_(text) {
    expect('{');
    std::set<std::string> keys;
    while (!take('}')) {
      const std::string key = quoted("header");
      if (!keys.insert(key).second) refuse("header", "got the key " + printable(key) + " twice");
      expect(':');
      if (key == "descr") {
        descr = read_descr();
      } else if (key == "fortran_order") {
        fortran_order = boolean();
      } else if (key == "shape") {
        shape = tuple();
      } else {
        refuse("header", "got the key " + printable(key) + ", expected descr, fortran_order and shape");
      }
      if (take(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (at_ != text_.size()) refuse("header", "got text after the closing brace");
    if (keys.size() != 3) refuse("header", "got too few keys, expected descr, fortran_order and shape");
  }

  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;

 private:
  [[noreturn]] void refuse(const std::string& field, const std::string& message) const {
    source_.refuse(message, field);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* field = "header") {
    if (take(c)) return;
    const std::string got = at_ < text_.size() ? printable(text_.substr(at_, 20)) : "the end";
    refuse(field, fmt::format("got {} at character {} of the header, expected '{}'", got, at_ + 1, c));
  }
  std::string quoted(const char* field) {
    skip_blanks();
    const char quote = at_ < text_.size() && text_[at_] == '"' ? '"' : '\'';
    expect(quote, field);
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) refuse(field, "got text without its closing quote");
    const std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  std::string read_descr() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[')
      refuse("descr", "got a record type, expected plain numbers such as <f4 or <c8");
    return quoted("descr");
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    refuse("fortran_order", "got neither True nor False");
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> sizes;
    expect('(', "shape");
    while (!take(')')) {
      skip_blanks();
      int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) {
        refuse("shape", fmt::format("got {}, expected whole numbers from 0 to 2^63 - 1",
                                    printable(text_.substr(at_, text_.find_first_of(",)", at_) - at_))));
      }
      at_ = static_cast<size_t>(end - text_.data());
      sizes.push_back(size);
      if (sizes.size() > kMaxNpyAxes) refuse("shape", fmt::format("got more than {} dimensions", kMaxNpyAxes));
      if (take(',')) continue;
      if (sizes.size() == 1) refuse("shape", "got no comma behind the only size, expected a tuple such as (3,)");
      expect(')', "shape");
      break;
    }
    return sizes;
  }

  const ByteSource& source_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(const ByteSource& source) {
  std::array<unsigned char, 12> start{};
  const auto got = static_cast<size_t>(std::min<uint64_t>(source.size(), start.size()));
  source.read(0, start.data(), got);
  const std::string_view head(reinterpret_cast<const char*>(start.data()), got);
  if (!head.starts_with(kNpyMagic)) {
    source.refuse(fmt::format("got a file that starts with \"{}\", expected \\x93NUMPY", printable(head.substr(0, 8))),
                  "magic");
  }
  if (got < start.size()) source.refuse(fmt::format("got {} bytes, expected a header (truncated file)", got), "header");
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0)
    source.refuse(fmt::format("got {}.{}, expected 1.0, 2.0 or 3.0", major, minor), "version");
  uint64_t header_bytes = start[8] | static_cast<uint64_t>(start[9]) << 8U;
  if (major > 1) header_bytes |= static_cast<uint64_t>(start[10]) << 16U | static_cast<uint64_t>(start[11]) << 24U;
  const uint64_t header_at = major > 1 ? 12 : 10;
  if (header_bytes > kMaxNpyHeader)
    source.refuse(fmt::format("got a header of {} bytes, expected at most {}", header_bytes, kMaxNpyHeader), "header");
  if (header_at + header_bytes > source.size()) {
    source.refuse(fmt::format("got {} bytes of the header, expected {} (truncated file)", source.size() - header_at,
                              header_bytes),
                  "header");
  }
  std::string text(header_bytes, '\0');
  source.read(header_at, text.data(), text.size());
  const NpyHeaderReader reader(source, text);
  if (reader.fortran_order && reader.shape.size() > 1)
    source.refuse("got True, expected False; write it with numpy.ascontiguousarray", "fortran_order");
  return {reader.descr, reader.shape, header_at + header_bytes};
}

std::string npy_header(std::string_view descr, const std::vector<int64_t>& shape) {
  constexpr size_t kAlignment = 64;  // of the first number, as numpy writes it
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const size_t before = kNpyMagic.size() + 4;
  text.append(kAlignment - 1 - (before + text.size()) % kAlignment, ' ');
  text += '\n';
  std::string bytes(kNpyMagic);
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(text.size() & 0xFFU);  // at most 64 sizes of 19 digits: far below 2^16
  bytes += static_cast<char>(text.size() >> 8U);
  return bytes + text;
}

uint64_t npy_data_bytes(const ByteSource& source, const NpyHeader& header, size_t item_bytes) {
  // Zero sizes are left out of the product, so that the strides of an empty array cannot overflow either.
  auto bytes = static_cast<int64_t>(item_bytes);
  const bool is_empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
  for (const int64_t size : header.shape) {
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes)) {
      source.refuse(fmt::format("got ({}), expected sizes whose product can be counted", fmt::join(header.shape, ", ")),
                    "shape");
    }
  }
  const uint64_t expected = is_empty ? 0 : static_cast<uint64_t>(bytes);
  const uint64_t present = source.size() - header.data_at;
  if (present != expected) {
    source.refuse(
        fmt::format("got {} bytes of numbers, expected {} for {} of shape ({}){}", present, expected, header.descr,
                    fmt::join(header.shape, ", "), present < expected ? " (truncated file)" : ""),
        "data");
  }
  return expected;
}

}  // namespace amae
