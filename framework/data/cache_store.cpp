#include "data/cache_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <system_error>
#include <utility>

#include "amae/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/sealed_file.h"

namespace amae {
namespace fs = std::filesystem;

namespace {

constexpr size_t kPage = kSealedPage;
constexpr const char* kFormat = "amae-features 2";

[[noreturn]] void fail(const fs::path& path, const std::string& doing, int error) {
  throw EnvironmentError("CACHE", printable(path.string()),
                         fmt::format("cannot {}: {}", doing, std::generic_category().message(error)));
}

/// By this others know that the file is in use. Whoever has it exclusively removes it, which takes a moment. File
/// systems that know no locks are used without.
void lock_shared(int fd) {
  while (::flock(fd, LOCK_SH) != 0 && errno == EINTR) {
  }
}

}  // namespace

fs::path cache_entry_path(const fs::path& folder, const std::string& key) {
  return folder / "features" / (key + ".f32");
}

CacheEntry::~CacheEntry() {
  if (data_ != nullptr) ::munmap(data_, kPage + payload_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

char* CacheEntry::payload() const { return static_cast<char*>(data_) + kPage; }

void CacheEntry::map(bool writable) {
  void* data = ::mmap(nullptr, kPage + payload_, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd_, 0);
  if (data == MAP_FAILED) fail(path_, "map", errno);
  data_ = data;
}

/// Reads sizes and description into the members; returns what is wrong, or nothing.
std::string CacheEntry::read_head() {
  SealedHead head;
  std::string problem = read_sealed_head(fd_, kFormat, "CACHE", path_, head);
  if (!problem.empty()) return problem;
  description_ = std::move(head.description);
  payload_ = head.payload;
  return "";
}

std::unique_ptr<CacheEntry> CacheEntry::open_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return nullptr;
  if (fd < 0) fail(path, "open", errno);
  return std::unique_ptr<CacheEntry>(new CacheEntry(fd, path));
}

std::unique_ptr<CacheEntry> CacheEntry::open(const fs::path& path, std::string& problem) {
  problem.clear();
  auto entry = open_file(path);
  if (!entry) return nullptr;
  lock_shared(entry->fd_);
  struct stat status {};
  if (::fstat(entry->fd_, &status) == 0 && status.st_nlink == 0) return nullptr;  // removed before we had the lock
  problem = entry->read_head();
  if (!problem.empty()) return nullptr;
  entry->map(false);
  const auto hash = entry->description_.find("xxh3");
  if (hash == entry->description_.end() || *hash != xxh3_hex({entry->payload(), entry->payload_})) {
    problem = "has damaged numbers";
    return nullptr;
  }
  return entry;
}

nlohmann::json CacheEntry::describe(const fs::path& path, std::string& problem) {
  problem.clear();
  const auto entry = open_file(path);
  if (!entry) return {};
  problem = entry->read_head();
  return problem.empty() ? entry->description_ : nlohmann::json();
}

void CacheEntry::mark_used() const {
  const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  static_cast<void>(::futimens(fd_, now));
}

std::unique_ptr<CacheEntry> CacheEntry::create(const fs::path& path, size_t payload) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) fail(path.parent_path(), "create the folder", error.value());
  // A process id alone is not enough: another cache of this process, or of another container, may be at it too.
  const fs::path temporary = path.string() + fmt::format(".tmp-{}-{:08x}", ::getpid(), std::random_device{}());
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) fail(temporary, "create", errno);
  std::unique_ptr<CacheEntry> entry(new CacheEntry(fd, path));
  entry->temporary_ = temporary;
  lock_shared(fd);
  if (const int full = ::posix_fallocate(fd, 0, static_cast<off_t>(kPage + payload)); full != 0)
    fail(temporary, fmt::format("reserve {}", bytes_text(static_cast<double>(kPage + payload))), full);
  entry->payload_ = payload;
  entry->map(true);
  return entry;
}

void CacheEntry::write_at(size_t offset, const std::string& text) const {
  for (size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::pwrite(fd_, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail(temporary_, "write", errno);
    done += static_cast<size_t>(wrote);
  }
}

void CacheEntry::commit(nlohmann::json description) {
  description["xxh3"] = xxh3_hex({payload(), payload_});
  const std::string text = description.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const fs::path temporary = temporary_;
  try {
    write_at(kPage + payload_, text);
    write_at(0, sealed_page(kFormat, payload_, text));
    if (::msync(data_, kPage + payload_, MS_SYNC) != 0 || ::fsync(fd_) != 0) fail(temporary, "flush", errno);
    if (::rename(temporary.c_str(), path_.c_str()) != 0) fail(path_, "rename to", errno);
    temporary_.clear();
  } catch (const EnvironmentError&) {
    ::unlink(temporary.c_str());
    temporary_.clear();
    throw;
  }
  description_ = std::move(description);
}

}  // namespace amae
