#include "data/cache_upkeep.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "amae/error.h"
#include "base/text.h"
#include "data/cache_store.h"

namespace amae {
namespace fs = std::filesystem;

namespace {

/// An exclusive lock on a file for the moment that this lives. Opens without creating and follows no link.
class Grip {
 public:
  explicit Grip(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) {
    struct stat opened {
    }, named{};
    has_it_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd_, &opened) == 0 &&
              ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  }
  ~Grip() {
    if (fd_ >= 0) ::close(fd_);
  }
  Grip(const Grip&) = delete;
  Grip& operator=(const Grip&) = delete;
  [[nodiscard]] bool has_it() const { return has_it_; }

 private:
  int fd_;
  bool has_it_ = false;
};

constexpr size_t kKeyDigits = 32;
constexpr std::string_view kSuffix = ".f32", kTemporary = ".f32.tmp-";

/// The key in the name of an entry or temporary file; empty for the name of anything else.
std::string_view key_in(std::string_view name) {
  if (name.size() < kKeyDigits) return {};
  const std::string_view key = name.substr(0, kKeyDigits), rest = name.substr(kKeyDigits);
  const bool is_hex = key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hex && (rest == kSuffix || rest.starts_with(kTemporary)) ? key : std::string_view();
}

CacheFile look_at(const fs::path& path, const struct stat& status) {
  const std::string name = path.filename();
  CacheFile file;
  file.path = path;
  file.key = key_in(name);
  file.bytes = static_cast<uint64_t>(status.st_size);
  file.last_used = status.st_mtime;
  file.temporary = name.size() > kKeyDigits + kSuffix.size();
  file.held = !Grip(path).has_it();
  if (file.temporary) return file;
  try {
    file.description = CacheEntry::describe(path, file.problem);
  } catch (const EnvironmentError& error) {
    file.problem = error.problems().front().message;
  }
  return file;
}

}  // namespace

std::vector<CacheFile> list_cache(const fs::path& folder) {
  const fs::path features = folder / "features";
  std::vector<CacheFile> files;
  std::error_code error;
  fs::directory_iterator names(features, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  if (error) throw EnvironmentError("CACHE", printable(features.string()), "cannot read: " + error.message());
  for (const fs::directory_entry& entry : names) {
    struct stat status {};
    const bool is_ours = !key_in(entry.path().filename().string()).empty();
    if (is_ours && ::lstat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
      files.push_back(look_at(entry.path(), status));
  }
  std::sort(files.begin(), files.end(), [](const CacheFile& a, const CacheFile& b) {
    return std::pair(a.last_used, a.path) < std::pair(b.last_used, b.path);
  });
  return files;
}

std::vector<Removal> collect_garbage(const fs::path& folder, const GcLimits& limits, bool dry_run) {
  std::vector<Removal> removals;
  const auto remove = [&](const CacheFile& file, const std::string& reason) {
    removals.push_back({file, reason, dry_run ? !file.held : remove_unless_held(file)});
    return removals.back().removed;
  };
  const std::time_t now = std::time(nullptr);
  const std::vector<CacheFile> files = list_cache(folder);
  double total = 0;
  for (const CacheFile& file : files) total += file.temporary ? 0.0 : static_cast<double>(file.bytes);
  for (const CacheFile& file : files) {
    const auto unused_s = static_cast<double>(now - file.last_used);
    if (file.temporary) {
      if (!file.held) remove(file, "left by a process that died");
    } else if (unused_s > limits.older_than_s) {
      if (remove(file, "unused for " + duration_text(unused_s))) total -= static_cast<double>(file.bytes);
    } else if (total > limits.max_bytes) {
      if (remove(file, fmt::format("more than {}", bytes_text(limits.max_bytes))))
        total -= static_cast<double>(file.bytes);
    }
  }
  return removals;
}

std::string verify_entry(const CacheFile& file) {
  std::string problem;
  try {
    CacheEntry::open(file.path, problem);
  } catch (const EnvironmentError& error) {
    problem = error.problems().front().message;
  }
  return problem;
}

bool remove_unless_held(const CacheFile& file) {
  const Grip grip(file.path);
  return grip.has_it() && ::unlink(file.path.c_str()) == 0;
}

}  // namespace amae
