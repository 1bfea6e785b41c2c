#include "io/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISSOCK(mode)) return "a socket";
  return "something else";
}

bool is_fault_of_machine(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO; }

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace

RegularFile::RegularFile(std::filesystem::path path, std::string code)
    : path_(std::move(path)), code_(std::move(code)) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0) {
    const int error = errno;
    if (is_fault_of_machine(error)) throw EnvironmentError(code_, where(), "cannot open: " + error_text(error));
    if (error == ENOENT) refuse("got no such file, expected a readable file");
    refuse(fmt::format("cannot open ({}), expected a readable file", error_text(error)));
  }
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(std::exchange(fd_, -1));  // the destructor does not run for a constructor that throws
    refuse(fmt::format("got {}, expected a regular file", kind_of(status.st_mode)));
  }
  size_ = static_cast<uint64_t>(status.st_size);
  changed_ = status.st_mtim;
}

RegularFile::~RegularFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::string RegularFile::where() const { return printable(path_.string()); }

size_t RegularFile::read_some(uint64_t offset, void* target, size_t count) const {
  size_t done = 0;
  while (done < count) {
    const auto got = ::pread(fd_, static_cast<char*>(target) + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw EnvironmentError(code_, where(), "cannot read: " + error_text(errno));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

void RegularFile::read(uint64_t offset, void* target, size_t count) const {
  const size_t got = read_some(offset, target, count);
  if (got != count)
    refuse(fmt::format("got {} bytes from byte {} on, expected {} (truncated file)", got, offset, count));
}

std::string RegularFile::read_all(uint64_t limit_bytes) const {
  if (size_ > limit_bytes) {
    refuse(fmt::format("got {}, expected at most {}", bytes_text(static_cast<double>(size_)),
                       bytes_text(static_cast<double>(limit_bytes))));
  }
  std::string content(static_cast<size_t>(size_), '\0');
  read(0, content.data(), content.size());
  return content;
}

void RegularFile::check_unchanged() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw EnvironmentError(code_, where(), "cannot look at it: " + error_text(errno));
  if (static_cast<uint64_t>(status.st_size) != size_) {
    refuse(fmt::format("got {} bytes, expected {} as when it was opened; do not write to it while it is read",
                       status.st_size, size_));
  }
  if (status.st_mtim.tv_sec != changed_.tv_sec || status.st_mtim.tv_nsec != changed_.tv_nsec) {
    refuse("got a file that changed while it was read, expected one at rest");
  }
}

void RegularFile::refuse(const std::string& message, const std::string& field) const {
  throw InputError(code_, where(), field, message);
}

}  // namespace amae
