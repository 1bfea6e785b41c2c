#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const char* doing, const fs::path& path) {
  throw EnvironmentError("FILE", path.string(), fmt::format("cannot {}: {}", doing, std::strerror(errno)));
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

fs::path beside_of(const fs::path& path) {
  fs::path temporary = path;
  return temporary += fmt::format(".tmp-{}", ::getpid());
}

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("write", path);
    content.remove_prefix(static_cast<size_t>(wrote));
  }
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit_bytes) {
  const auto refuse = [&](const std::string& message) { throw InputError("FILE", path.string(), "", message); };
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) refuse(fmt::format("cannot open: {}", std::strerror(errno)));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) refuse(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse("is not a regular file");
  if (static_cast<uint64_t>(status.st_size) > limit_bytes) {
    refuse(fmt::format("got {} bytes, expected at most {}", status.st_size, limit_bytes));
  }
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(fd.get(), content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(fmt::format("cannot read: {}", std::strerror(errno)));
    if (got == 0) break;  // the file shrank
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

void sync_path(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail("sync", path);
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), temporary_(beside_of(path_)) {
  for (;;) {
    Fd fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd.get() < 0) fail("create", path_);
    // Who else has it, a remover of leftovers or a writer of our pid in another container, takes it away when it is
    // done: then another one must be made. Where files cannot be locked, none is removed.
    while (::flock(fd.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    struct stat ours {
    }, there{};
    if (::fstat(fd.get(), &ours) != 0 || ::lstat(temporary_.c_str(), &there) != 0 || ours.st_ino != there.st_ino ||
        ours.st_dev != there.st_dev)
      continue;
    if (::ftruncate(fd.get(), 0) != 0) fail("write", path_);
    file_ = ::fdopen(fd.get(), "wb");
    if (file_ == nullptr) fail("open", path_);
    fd.release();
    return;
  }
}

// The lock goes with the file, so the name goes first: who waits for the lock must find that the file is not its own.
AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (file_ != nullptr) std::fclose(file_);
}

void AtomicFile::write(const void* data, size_t count) {
  if (std::fwrite(data, 1, count, file_) != count) fail("write", path_);
}

void AtomicFile::rewrite(const void* data, size_t count) {
  if (std::fseek(file_, 0, SEEK_SET) != 0) fail("write", path_);
  write(data, count);
}

void AtomicFile::commit() {
  if (std::fflush(file_) != 0) fail("write", path_);
  if (::fsync(::fileno(file_)) != 0) fail("sync", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename", path_);
  temporary_.clear();
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail("close", path_);
  sync_path(folder_of(path_));
}

void AtomicFile::remove_leftovers(const fs::path& path) {
  std::error_code ignored;
  const std::string begin = path.filename().string() + ".tmp-";
  for (const auto& entry : fs::directory_iterator(folder_of(path), ignored)) {
    if (!entry.path().filename().string().starts_with(begin)) continue;
    const Fd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (fd.get() >= 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

void write_file(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content.data(), content.size());
  file.commit();
}

void require_output(const fs::path& path, const std::string& field) {
  std::error_code ignored;
  if (!fs::is_directory(folder_of(path), ignored)) {
    throw InputError("FILE", "", field,
                     fmt::format("got {}, expected a file in a folder that is there: {} is none",
                                 printable(path.string()), printable(folder_of(path).string())));
  }
  if (!path.has_filename() || (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)))
    throw InputError("FILE", "", field,
                     fmt::format("got {}, expected a file, or nothing there", printable(path.string())));
  // As the writer will: a file beside it knows more reasons to fail than the folder's permissions.
  const fs::path beside = beside_of(path);
  const Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (fd.get() < 0) fail("create", path);
  ::unlink(beside.c_str());
}

void append_file(const fs::path& path, std::string_view content) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (fd.get() < 0) fail("open", path);
  write_all(fd.get(), content, path);
  if (::fsync(fd.get()) != 0) fail("sync", path);
}

AtomicFolder::AtomicFolder(fs::path target) : target_(fs::absolute(target).lexically_normal()) {
  if (!target_.has_filename())
    target_ = target_.parent_path();  // "folder/" and "." have their neighbour beside them too
  temporary_ = beside_of(target_);
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);  // of an earlier process with our pid
  std::error_code error;
  fs::create_directories(temporary_, error);
  if (error) throw EnvironmentError("FILE", temporary_.string(), "cannot create folder: " + error.message());
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(temporary_)) {
    if (entry.is_regular_file() || entry.is_directory()) sync_path(entry.path());
  }
  sync_path(temporary_);
  // One atomic exchange where something is there already, so that no moment exists without a whole folder.
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0) {
    std::error_code ignored;
    if (errno == EEXIST && ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) {
      fs::remove_all(temporary_, ignored);
    } else if (errno == EINVAL || errno == ENOSYS ||
               errno == ENOTSUP) {  // NFS, FUSE: two renames, the old one kept between
      fs::path old = target_;
      old += ".old";
      fs::remove_all(old, ignored);
      fs::rename(target_, old, ignored);
      if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename", temporary_);
      fs::remove_all(old, ignored);
    } else {
      fail("rename", temporary_);
    }
  }
  committed_ = true;
  sync_path(folder_of(target_));
}

FileLock::FileLock(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (fd.get() < 0) fail("open lock", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("lock", path);
    char holder[32] = {};
    const ssize_t got = ::pread(fd.get(), holder, sizeof holder - 1, 0);
    throw EnvironmentError(
        "LOCKED", path.string(),
        fmt::format("is in use by process {}", got > 0 ? std::string_view(holder, static_cast<size_t>(got)) : "?"));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0) fail("write lock", path);
  write_all(fd.get(), pid, path);
  fd_ = fd.release();
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "amae-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail("create temporary folder", pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace amae
