#include "io/zip_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr int64_t kMaxZipEntries = 100'000;
constexpr const char* kFieldArchive = "zip archive";

std::string zip_error_text(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = printable(zip_error_strerror(&error));
  zip_error_fini(&error);
  return text;
}

}  // namespace

struct ZipReader::Archive {
  zip_t* zip = nullptr;
  zip_file_t* part = nullptr;  // the entry that read_at() was last asked for
  uint64_t part_number = 0;

  ~Archive() {
    if (part != nullptr) zip_fclose(part);
    if (zip != nullptr) zip_discard(zip);
  }
};

ZipReader::ZipReader(const std::filesystem::path& path, const std::string& code)
    : file_(path, code), archive_(std::make_unique<Archive>()) {
  // libzip closes the descriptor that it was given, and moves its position: RegularFile reads by offset.
  const int fd = ::fcntl(file_.fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw EnvironmentError(code, file_.where(), fmt::format("cannot open: {}", std::strerror(errno)));
  int error = 0;
  archive_->zip = zip_fdopen(fd, 0, &error);
  if (archive_->zip == nullptr) {
    ::close(fd);
    file_.refuse(fmt::format("cannot be read ({}), expected a whole zip archive; was it cut?", zip_error_text(error)),
                 kFieldArchive);
  }
  const int64_t count = zip_get_num_entries(archive_->zip, 0);
  if (count > kMaxZipEntries)
    file_.refuse(fmt::format("got {} entries, expected at most {}", count, kMaxZipEntries), kFieldArchive);
  uint64_t total = 0;
  for (int64_t i = 0; i < count; ++i) {
    zip_stat_t status;
    zip_stat_init(&status);
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
                                     ZIP_STAT_ENCRYPTION_METHOD | ZIP_STAT_CRC;
    if (zip_stat_index(archive_->zip, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW, &status) != 0 ||
        (status.valid & kNeeded) != kNeeded)
      file_.refuse(fmt::format("got no name and size for entry {}, expected both", i), kFieldArchive);
    const std::string name = status.name;
    const auto refuse = [&](const std::string& message) { file_.refuse(message, printable(name)); };
    const bool is_stored = status.comp_method == ZIP_CM_STORE;
    if (is_stored && status.comp_size != status.size)
      refuse(fmt::format("got a stored entry of {} bytes that takes {}, expected one size", status.size,
                         status.comp_size));
    total += std::min(status.comp_size, UINT64_MAX - total);
    if (total > file_.size()) {
      refuse(fmt::format("got entries of {} bytes together, expected at most the file's {}; their bytes overlap", total,
                         file_.size()));
    }
    entries_.push_back(
        {name, status.size, static_cast<uint64_t>(i), is_stored && status.encryption_method == ZIP_EM_NONE});
  }
  std::sort(entries_.begin(), entries_.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(entries_.begin(), entries_.end(),
                                       [](const ZipEntry& a, const ZipEntry& b) { return a.name == b.name; });
  if (twin != entries_.end()) file_.refuse("got this entry twice, expected each name once", printable(twin->name));
}

ZipReader::~ZipReader() = default;

const ZipEntry* ZipReader::find(const std::string& name) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), name,
                                      [](const ZipEntry& entry, const std::string& n) { return entry.name < n; });
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

void ZipReader::read(const ZipEntry& entry, void* target) const {
  const auto refuse = [&](const std::string& message) { file_.refuse(message, printable(entry.name)); };
  if (!entry.is_plain) refuse("got a compressed or encrypted entry, expected a stored one");
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> opened(zip_fopen_index(archive_->zip, entry.number, 0),
                                                                 zip_fclose);
  if (!opened)
    refuse(fmt::format("cannot be read ({})", zip_error_text(zip_error_code_zip(zip_get_error(archive_->zip)))));
  uint64_t done = 0;
  char beyond = 0;  // the last call must find the end: only there is the CRC compared
  while (true) {
    const uint64_t left = entry.size - done;
    const int64_t got = left > 0 ? zip_fread(opened.get(), static_cast<char*>(target) + done, left)
                                 : zip_fread(opened.get(), &beyond, 1);
    if (got < 0) {
      const int code = zip_error_code_zip(zip_file_get_error(opened.get()));
      if (code == ZIP_ER_CRC)
        refuse("got bytes of another CRC-32, expected those that were saved: the file is damaged");
      refuse(fmt::format("cannot be read ({}): the file is damaged", zip_error_text(code)));
    }
    if (got == 0) break;
    if (left == 0) refuse(fmt::format("got more than {} bytes, expected as many as the archive says", entry.size));
    done += static_cast<uint64_t>(got);
  }
  if (done != entry.size) refuse(fmt::format("got {} bytes, expected {} (truncated file)", done, entry.size));
}

void ZipReader::read_at(const ZipEntry& entry, uint64_t offset, void* target, size_t count) const {
  const auto refuse = [&](const std::string& message) { file_.refuse(message, printable(entry.name)); };
  if (!entry.is_plain) refuse("got a compressed or encrypted entry, expected a stored one");
  if (offset > entry.size || count > entry.size - offset)
    refuse(fmt::format("got {} bytes, expected {} from byte {} on (truncated file)", entry.size, count, offset));
  Archive& archive = *archive_;
  if (archive.part == nullptr || archive.part_number != entry.number) {
    if (archive.part != nullptr) zip_fclose(archive.part);
    archive.part = zip_fopen_index(archive.zip, entry.number, 0);
    archive.part_number = entry.number;
    if (archive.part == nullptr)
      refuse(fmt::format("cannot be read ({})", zip_error_text(zip_error_code_zip(zip_get_error(archive.zip)))));
  }
  if (zip_fseek(archive.part, static_cast<zip_int64_t>(offset), SEEK_SET) != 0)
    refuse(fmt::format("cannot be read ({})", zip_error_text(zip_error_code_zip(zip_file_get_error(archive.part)))));
  for (size_t done = 0; done < count;) {
    const int64_t got = zip_fread(archive.part, static_cast<char*>(target) + done, count - done);
    if (got <= 0) {
      refuse(fmt::format("got {} bytes from byte {} on, expected {}: the file is damaged or was cut", done, offset,
                         count));
    }
    done += static_cast<size_t>(got);
  }
}

std::string ZipReader::read_text(const ZipEntry& entry, uint64_t limit_bytes) const {
  if (entry.size > limit_bytes)
    file_.refuse(fmt::format("got {} bytes, expected at most {}", entry.size, limit_bytes), printable(entry.name));
  if (!entry.is_plain) read(entry, nullptr);  // refuses it before its claimed size is allocated
  std::string text(static_cast<size_t>(entry.size), '\0');
  read(entry, text.data());
  return text;
}

}  // namespace amae
