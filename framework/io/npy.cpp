#include "io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "io/regular_file.h"

namespace amae {
namespace {

static_assert(std::endian::native == std::endian::little, "array bytes are little-endian in the file and in memory");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;             // of the first number, as numpy writes it
constexpr uint64_t kMaxHeaderBytes = 10'000;  // numpy's own limit for headers that nobody vouches for
constexpr size_t kMaxDimensions = 64;         // numpy 2
constexpr std::string_view kTypes = "<f4, <f8, <i4, <i8, |u1";

struct Dtype {
  std::string_view descr;
  at::ScalarType type;
};
constexpr std::array<Dtype, 5> kDtypes = {
    {{"<f4", at::kFloat}, {"<f8", at::kDouble}, {"<i4", at::kInt}, {"<i8", at::kLong}, {"|u1", at::kByte}}};

/// The header: a Python dict of exactly three keys, written as a literal. Anything else that Python could read there is
/// refused, so no other grammar is needed.
class HeaderReader {
 public:
  HeaderReader(const RegularFile& file, std::string_view text) : file_(file), text_(text) {
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
  [[noreturn]] void refuse(const std::string& field, const std::string& message) const { file_.refuse(message, field); }
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
      refuse("descr", fmt::format("got a record type, expected one of {}", kTypes));
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
      if (sizes.size() > kMaxDimensions) refuse("shape", fmt::format("got more than {} dimensions", kMaxDimensions));
      if (take(',')) continue;
      if (sizes.size() == 1) refuse("shape", "got no comma behind the only size, expected a tuple such as (3,)");
      expect(')', "shape");
      break;
    }
    return sizes;
  }

  const RegularFile& file_;
  std::string_view text_;
  size_t at_ = 0;
};

at::ScalarType type_of(const RegularFile& file, const std::string& descr) {
  const std::string known = descr == "<u1" || descr == "u1" ? "|u1" : descr;  // one byte has no order
  for (const Dtype& dtype : kDtypes) {
    if (dtype.descr == known) return dtype.type;
  }
  const std::string kind = descr.find('O') != std::string::npos ? " (Python objects)"
                           : descr.starts_with('>')             ? " (big-endian)"
                                                                : "";
  file.refuse(fmt::format("got '{}'{}, expected one of {}", printable(descr), kind, kTypes), "descr");
}

}  // namespace

void write_npy(const std::filesystem::path& path, const at::Tensor& array) {
  if (!array.defined()) throw std::invalid_argument("write_npy: got no array");
  const auto* known =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.type == array.scalar_type(); });
  if (known == kDtypes.end()) {
    throw std::invalid_argument(fmt::format("write_npy: got {}, expected float32, float64, int32, int64 or uint8",
                                            c10::toString(array.scalar_type())));
  }
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", known->descr,
                                   fmt::join(array.sizes(), ", "), array.dim() == 1 ? "," : "");
  const size_t before = kMagic.size() + 4;
  header.append(kAlignment - 1 - (before + header.size()) % kAlignment, ' ');
  header += '\n';
  const at::Tensor plain = array.detach().cpu().contiguous();
  std::string bytes(kMagic);
  bytes.reserve(before + header.size() + plain.nbytes());
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 0xFFU);  // at most 64 sizes of 19 digits: far below 2^16
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  write_file(path, bytes);
}

at::Tensor read_npy(const std::filesystem::path& path) {
  const RegularFile file(path, "NPY");
  std::array<unsigned char, 12> start{};
  const size_t got = file.read_some(0, start.data(), start.size());
  const std::string_view head(reinterpret_cast<const char*>(start.data()), got);
  if (!head.starts_with(kMagic)) {
    file.refuse(fmt::format("got a file that starts with \"{}\", expected \\x93NUMPY", printable(head.substr(0, 8))),
                "magic");
  }
  if (got < start.size()) file.refuse(fmt::format("got {} bytes, expected a header (truncated file)", got), "header");
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0)
    file.refuse(fmt::format("got {}.{}, expected 1.0, 2.0 or 3.0", major, minor), "version");
  uint64_t header_bytes = start[8] | static_cast<uint64_t>(start[9]) << 8U;
  if (major > 1) header_bytes |= static_cast<uint64_t>(start[10]) << 16U | static_cast<uint64_t>(start[11]) << 24U;
  const uint64_t header_at = major > 1 ? 12 : 10;
  if (header_bytes > kMaxHeaderBytes)
    file.refuse(fmt::format("got a header of {} bytes, expected at most {}", header_bytes, kMaxHeaderBytes), "header");
  std::string text(header_bytes, '\0');
  if (header_at + header_bytes > file.size()) {
    file.refuse(
        fmt::format("got {} bytes of the header, expected {} (truncated file)", file.size() - header_at, header_bytes),
        "header");
  }
  file.read(header_at, text.data(), text.size());
  const HeaderReader header(file, text);

  const at::ScalarType type = type_of(file, header.descr);
  if (header.fortran_order && header.shape.size() > 1)
    file.refuse("got True, expected False; write it with numpy.ascontiguousarray", "fortran_order");
  // Zero sizes are left out of the product, so that the strides of an empty array cannot overflow either.
  int64_t bytes = static_cast<int64_t>(c10::elementSize(type));
  const bool is_empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
  for (const int64_t size : header.shape) {
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes)) {
      file.refuse(fmt::format("got ({}), expected sizes whose product can be counted", fmt::join(header.shape, ", ")),
                  "shape");
    }
  }
  const uint64_t expected = is_empty ? 0 : static_cast<uint64_t>(bytes);
  const uint64_t present = file.size() - header_at - header_bytes;
  if (present != expected) {
    file.refuse(fmt::format("got {} bytes of numbers, expected {} for {} of shape ({}){}", present, expected,
                            header.descr, fmt::join(header.shape, ", "), present < expected ? " (truncated file)" : ""),
                "data");
  }
  at::Tensor array = at::empty(header.shape, type);
  file.read(header_at + header_bytes, array.mutable_data_ptr(), array.nbytes());
  return array;
}

}  // namespace amae
