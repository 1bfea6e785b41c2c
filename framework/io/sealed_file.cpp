#include "io/sealed_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "base/file.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr uint64_t kLongestDescription = uint64_t{64} << 20U;

std::string page_of(const std::string& format, uint64_t payload, uint64_t description, const std::string& hash) {
  std::string page = fmt::format("{} payload={:016x} description={:08x} xxh3={}\n", format, payload, description, hash);
  page.resize(kSealedPage, ' ');
  return page;
}

}  // namespace

std::string sealed_page(const std::string& format, uint64_t payload, const std::string& description) {
  return page_of(format, payload, description.size(), xxh3_hex(description));
}

std::string read_sealed_head(int fd, const std::string& format, const std::string& code,
                             const std::filesystem::path& path, SealedHead& head) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    throw EnvironmentError(code, printable(path.string()), fmt::format("cannot read: {}", std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  const auto size = static_cast<uint64_t>(status.st_size);
  std::string page(kSealedPage, '\0');
  if (size < kSealedPage || ::pread(fd, page.data(), kSealedPage, 0) != static_cast<ssize_t>(kSealedPage))
    return "is cut off";
  unsigned long long payload = 0;
  unsigned length = 0;
  char hash[33] = {};
  const bool is_ours = page.starts_with(format + " ") &&
                       std::sscanf(page.c_str() + format.size(), " payload=%16llx description=%8x xxh3=%32s", &payload,
                                   &length, hash) == 3;
  if (!is_ours || page != page_of(format, payload, length, hash)) return "has another first page than amae writes";
  if (length > kLongestDescription || payload > size || size != kSealedPage + payload + length)
    return fmt::format("has {} bytes, expected {}", size, kSealedPage + payload + length);
  std::string text(length, '\0');
  if (::pread(fd, text.data(), length, static_cast<off_t>(kSealedPage + payload)) != static_cast<ssize_t>(length))
    return "cannot be read to its end";
  if (xxh3_hex(text) != hash) return "has a damaged description";
  head.description = nlohmann::json::parse(text, nullptr, false);
  if (!head.description.is_object()) return "has no description";
  head.payload = payload;
  return "";
}

SealedFile::SealedFile(const std::filesystem::path& path, const std::string& format, const std::string& code)
    : file_(path, code) {
  if (const std::string problem = read_sealed_head(file_.fd(), format, code, path, head_); !problem.empty())
    refuse(problem + ": the file is damaged, or none of amae's");
}

SealedFile::~SealedFile() {
  if (data_ != nullptr) ::munmap(data_, kSealedPage + head_.payload);
}

void SealedFile::verify() const {
  Xxh3 hash;
  std::vector<char> buffer(size_t{1} << 20U);  // read, not mapped: what is only hashed shall not fill our memory
  for (uint64_t done = 0; done < head_.payload;) {
    const size_t count = std::min<uint64_t>(buffer.size(), head_.payload - done);
    read(done, buffer.data(), count);
    hash.add(buffer.data(), count);
    done += count;
  }
  const auto known = head_.description.find("xxh3");
  if (known == head_.description.end() || *known != hash.hex())
    refuse("the content does not match its hash: the file is damaged");
}

const char* SealedFile::map() {
  if (data_ == nullptr) {
    void* data = ::mmap(nullptr, kSealedPage + head_.payload, PROT_READ, MAP_SHARED, fd(), 0);
    if (data == MAP_FAILED)
      throw EnvironmentError("FILE", file_.where(), fmt::format("cannot map: {}", std::strerror(errno)));
    data_ = data;
  }
  return static_cast<const char*>(data_) + kSealedPage;
}

SealedWriter::SealedWriter(const std::filesystem::path& path, std::string format)
    : format_(std::move(format)), file_(path) {
  AtomicFile::remove_leftovers(path);
  const std::string blank(kSealedPage, ' ');  // the page itself is written last
  file_.write(blank.data(), blank.size());
}

void SealedWriter::write(const void* data, size_t count) {
  file_.write(data, count);
  hash_.add(data, count);
  payload_ += count;
}

void SealedWriter::commit(nlohmann::json description) {
  description["xxh3"] = hash_.hex();
  const std::string text = description.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::string page = sealed_page(format_, payload_, text);
  file_.write(text.data(), text.size());
  file_.rewrite(page.data(), page.size());
  file_.commit();
}

}  // namespace amae
