#include "io/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace amae {
namespace {

constexpr uint64_t kTarBlock = 512;
constexpr uint64_t kMaxExtended = uint64_t{1} << 16U;  // of a long name, or of a pax header
constexpr int kMaxTarEntries = 100'000;
constexpr const char* kTarField = "tar archive";

using TarHeader = std::array<char, kTarBlock>;

/// A text field of the header, up to its first NUL.
std::string_view text_at(const TarHeader& header, size_t begin, size_t size) {
  const std::string_view field(header.data() + begin, size);
  return field.substr(0, field.find('\0'));
}

/// A number field: octal digits between blanks or NULs, or, with the first bit set, base 256.
std::optional<uint64_t> number_at(const TarHeader& header, size_t begin, size_t size) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(header.data()) + begin;
  uint64_t value = 0;
  if (bytes[0] >= 0x80) {
    if (bytes[0] != 0x80) return std::nullopt;  // negative, or far beyond 2^64
    for (size_t i = 1; i < size; ++i) {
      if (value >> 56U != 0) return std::nullopt;
      value = value << 8U | bytes[i];
    }
    return value;
  }
  std::string_view digits(header.data() + begin, size);
  const auto is_padding = [](char c) { return c == ' ' || c == '\0'; };
  while (!digits.empty() && is_padding(digits.front())) digits.remove_prefix(1);
  while (!digits.empty() && is_padding(digits.back())) digits.remove_suffix(1);
  if (digits.empty()) return 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool is_right(const TarHeader& header) {
  if (text_at(header, 257, 5) != "ustar") return false;
  uint64_t sum = 0;  // of all bytes, those of the checksum itself taken as blanks
  for (size_t i = 0; i < header.size(); ++i)
    sum += i >= 148 && i < 156 ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(header[i]);
  return number_at(header, 148, 8) == sum;
}

/// Goes through an archive header by header.
class TarWalk {
 public:
  explicit TarWalk(const RegularFile& file) : file_(file) {}

  std::vector<TarEntry> entries() {
    TarHeader header;
    for (int count = 0;; ++count) {
      if (at_ + kTarBlock > file_.size()) {
        refuse(fmt::format("got {} bytes without the zeros at their end, expected a whole archive (truncated file)",
                           file_.size()));
      }
      file_.read(at_, header.data(), header.size());
      if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) break;
      if (count == kMaxTarEntries) refuse(fmt::format("got more than {} entries, expected fewer", kMaxTarEntries));
      if (!is_right(header)) refuse(fmt::format("got no header at byte {}, expected one: the file is damaged", at_));
      take(header);
    }
    std::sort(found_.begin(), found_.end(), [](const TarEntry& a, const TarEntry& b) { return a.name < b.name; });
    const auto twin = std::adjacent_find(found_.begin(), found_.end(),
                                         [](const TarEntry& a, const TarEntry& b) { return a.name == b.name; });
    if (twin != found_.end()) refuse(fmt::format("got {} twice, expected each name once", printable(twin->name)));
    return std::move(found_);
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const { file_.refuse(message, kTarField); }

  void take(const TarHeader& header) {
    const char type = header[156];
    const auto number = number_at(header, 124, 12);
    if (!number) refuse(fmt::format("got no size in the header at byte {}, expected octal digits", at_));
    // Links, devices, folders and FIFOs have no content, whatever their size says.
    const bool is_extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    uint64_t size = type >= '1' && type <= '6' ? 0 : *number;
    if (!is_extension && next_size_ && (type < '1' || type > '6')) size = *next_size_;
    const uint64_t content = at_ + kTarBlock, room = file_.size() - content;
    if (size > room) {
      refuse(fmt::format("got {} bytes behind the header at byte {}, expected {} (truncated file)", room, at_, size));
    }
    if (is_extension) {
      take_extension(type, content, size);
    } else {
      if (type == 'S') refuse(fmt::format("got a sparse file at byte {}, expected plain ones", at_));
      if (type == '\0' || type == '0' || type == '7') found_.push_back({name_of(header), content, size});
      next_name_.reset();
      next_size_.reset();
    }
    // Content fills whole blocks; where the archive ends within one, the next header is missing, which is told then.
    at_ = content + std::min(room, (size + kTarBlock - 1) / kTarBlock * kTarBlock);
  }

  [[nodiscard]] std::string name_of(const TarHeader& header) const {
    std::string name;
    if (next_name_) {
      name = *next_name_;
    } else {
      name = text_at(header, 0, 100);
      // GNU's own format ("ustar  ") has other things where POSIX has the prefix.
      const std::string_view prefix = header[262] == '\0' ? text_at(header, 345, 155) : "";
      if (!prefix.empty()) name = std::string(prefix) + "/" + name;
    }
    while (name.starts_with("./")) name.erase(0, 2);
    return name;
  }

  void take_extension(char type, uint64_t content, uint64_t size) {
    if (size > kMaxExtended)
      refuse(
          fmt::format("got an extended header of {} bytes at byte {}, expected at most {}", size, at_, kMaxExtended));
    if (type == 'K') return;  // the target of a link
    std::string text(static_cast<size_t>(size), '\0');
    file_.read(content, text.data(), text.size());
    if (type == 'L') {
      next_name_ = text.substr(0, text.find('\0'));
    } else {
      take_pax(text, type == 'g');
    }
  }

  /// Records "LENGTH KEY=VALUE\n", the length counting all of the record.
  void take_pax(std::string_view text, bool for_all) {
    const auto damaged = [&] { refuse(fmt::format("got a damaged extended header at byte {}", at_)); };
    while (!text.empty()) {
      size_t length = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
      const auto digits = static_cast<size_t>(end - text.data());
      if (error != std::errc() || length > text.size() || length < digits + 3 || text[digits] != ' ' ||
          text[length - 1] != '\n') {
        damaged();
      }
      const std::string_view record = text.substr(digits + 1, length - digits - 2);
      const size_t equals = record.find('=');
      if (equals == std::string_view::npos) damaged();
      const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
      if (key.starts_with("GNU.sparse.")) refuse(fmt::format("got a sparse file at byte {}, expected plain ones", at_));
      if (key == "path" || key == "size") {
        if (for_all) refuse(fmt::format("got one {} for all files, expected each file's own", key));
        if (key == "path") next_name_ = value;
        if (key == "size") next_size_ = decimal(value);
      }
      text.remove_prefix(length);
    }
  }

  [[nodiscard]] uint64_t decimal(std::string_view text) const {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
      refuse(fmt::format("got size \"{}\", expected a whole number", printable(text)));
    return value;
  }

  const RegularFile& file_;
  uint64_t at_ = 0;  // of the header that is looked at
  std::vector<TarEntry> found_;
  std::optional<std::string> next_name_;  // what an extended header says of the next file
  std::optional<uint64_t> next_size_;
};

}  // namespace

bool is_tar(const RegularFile& file) {
  TarHeader header;
  return file.read_some(0, header.data(), header.size()) == header.size() && is_right(header);
}

std::vector<TarEntry> read_tar(const RegularFile& file) { return TarWalk(file).entries(); }

}  // namespace amae
