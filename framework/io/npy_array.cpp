#include "io/npy_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "amae/error.h"
#include "base/text.h"
#include "io/zip_reader.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNpyCode = "NPY";

std::optional<SampleType> sample_type_of(std::string_view descr) {
  if (descr.empty()) return std::nullopt;
  SampleType type;
  if (std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    type.is_big_endian = descr[0] == '>';
    descr.remove_prefix(1);
  }
  const bool has_one_digit = descr.size() == 2 && descr[1] >= '1' && descr[1] <= '9';
  if (!has_one_digit && descr != "c16") return std::nullopt;
  type.is_complex = descr[0] == 'c';
  type.bytes = descr == "c16" ? 8 : type.is_complex ? (descr[1] - '0') / 2 : descr[1] - '0';
  const bool is_known = type.bytes == 1 || type.bytes == 2 || type.bytes == 4 || type.bytes == 8;
  if (descr[0] == 'i') type.kind = SampleType::Kind::signed_integer;
  if (descr[0] == 'u') type.kind = SampleType::Kind::unsigned_integer;
  switch (descr[0]) {
    case 'f':
      return is_known && type.bytes > 1 ? std::optional(type) : std::nullopt;
    case 'c':
      return descr == "c8" || descr == "c16" ? std::optional(type) : std::nullopt;
    case 'i':
    case 'u':
      return is_known ? std::optional(type) : std::nullopt;
    default:
      return std::nullopt;
  }
}

/// An entry of a zip archive.
class ZipBytes final : public ByteSource {
 public:
  ZipBytes(std::shared_ptr<const ZipReader> archive, const ZipEntry& entry)
      : ByteSource({kNpyCode, archive->file().where(), printable(entry.name)}),
        archive_(std::move(archive)),
        entry_(entry) {}

  [[nodiscard]] uint64_t size() const override { return entry_.size; }
  void read(uint64_t offset, void* target, size_t count) const override {
    const std::lock_guard lock(mutex_);  // libzip's handles know one place at a time
    archive_->read_at(entry_, offset, target, count);
  }

 private:
  std::shared_ptr<const ZipReader> archive_;
  ZipEntry entry_;
  mutable std::mutex mutex_;
};

std::shared_ptr<const ByteSource> entry_of(const fs::path& path, const std::string& name) {
  const auto archive = std::make_shared<const ZipReader>(path, kNpyCode);
  std::vector<std::string> names;
  for (const ZipEntry& entry : archive->entries()) {
    if (entry.name.ends_with(".npy")) names.push_back(entry.name.substr(0, entry.name.size() - 4));
  }
  const auto found = [&] { return printable(fmt::format("{}", fmt::join(names, ", ")).substr(0, 500)); };
  if (names.empty()) archive->file().refuse("got an archive without arrays, expected NAME.npy in it", "array");
  if (name.empty() && names.size() > 1)
    archive->file().refuse(fmt::format("got {} arrays ({}), expected the name of one", names.size(), found()), "array");
  const ZipEntry* entry = archive->find((name.empty() ? names[0] : name) + ".npy");
  if (entry == nullptr)
    archive->file().refuse(fmt::format("got \"{}\", expected one of {}", printable(name), found()), "array");
  if (!entry->is_plain) {
    archive->file().refuse("got a compressed or encrypted array, expected a stored one; write it with numpy.savez",
                           printable(entry->name));
  }
  return std::make_shared<ZipBytes>(archive, *entry);
}

}  // namespace

NpyArray::NpyArray(std::shared_ptr<const ByteSource> source)
    : source_(std::move(source)), header_(read_npy_header(*source_)) {
  const auto type = sample_type_of(header_.descr);
  if (!type) {
    const char* kind = header_.descr.find('O') != std::string::npos ? " (Python objects)" : "";
    refuse(fmt::format("got '{}'{}, expected integers, floating-point or complex numbers such as <i2, <f4 or <c8",
                       printable(header_.descr), kind),
           "descr");
  }
  type_ = *type;
  const uint64_t bytes = npy_data_bytes(*source_, header_, type_.sample_bytes());
  if (rows() > 0) row_bytes_ = static_cast<size_t>(bytes / static_cast<uint64_t>(rows()));
}

std::string NpyArray::read_rows(int64_t first, int64_t count) const {
  if (first < 0 || count < 0 || count > rows() - first)
    throw std::out_of_range(fmt::format("rows {} to {} of {}", first, first + count - 1, rows()));
  std::string bytes(static_cast<size_t>(count) * row_bytes_, '\0');
  source_->read(header_.data_at + static_cast<uint64_t>(first) * row_bytes_, bytes.data(), bytes.size());
  return bytes;
}

NpyArray open_npy_array(const fs::path& path, const std::string& name) {
  auto file = std::make_shared<const OpenFile>(path, kNpyCode);
  std::array<char, 2> start{};
  if (file->size() >= start.size()) file->read(0, start.data(), start.size());
  if (start[0] == 'P' && start[1] == 'K') return NpyArray(entry_of(path, name));
  return NpyArray(std::move(file));
}

}  // namespace amae
