#include "base/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "amae/error.h"

namespace amae {

MemoryFile::MemoryFile(std::string_view content) : fd_(::memfd_create("amae", MFD_CLOEXEC)) {
  if (fd_ < 0)
    throw EnvironmentError("MEMORY", "", std::string("cannot make a file in memory: ") + std::strerror(errno));
  try {
    put(content);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

MemoryFile::~MemoryFile() { ::close(fd_); }

void MemoryFile::put(std::string_view content) {
  const auto check = [](bool done) {
    if (!done)
      throw EnvironmentError("MEMORY", "", std::string("cannot fill a file in memory: ") + std::strerror(errno));
  };
  check(::ftruncate(fd_, 0) == 0);
  for (size_t done = 0; done < content.size();) {
    const ssize_t wrote = ::pwrite(fd_, content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    check(wrote > 0);
    done += static_cast<size_t>(wrote);
  }
}

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

}  // namespace amae
