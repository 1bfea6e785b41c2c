#include "hdf5_file.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

/// What chunks of one dataset may fill in memory; a larger chunk is refused.
constexpr size_t kChunkCacheBytes = size_t{64} << 20;

/// The innermost reason on the library's stack of errors.
std::string reason_of_library() {
  std::string reason;
  const auto take_first = [](unsigned depth, const H5E_error2_t* error, void* text) -> herr_t {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  return printable(reason.substr(0, 200));
}

/// Once for the process: no messages on stderr, and no filters or drivers from the user's folders of plugins.
void tame_library() {
  static const bool is_tame = H5open() >= 0 && H5PLset_loading_state(0) >= 0;
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // the default stack is the thread's
  if (!is_tame) throw EnvironmentError(kHdf5Code, "", "the HDF5 library does not start");
}

}  // namespace

std::unique_lock<std::mutex> lock_hdf5() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

Hdf5File::Hdf5File(const RegularFile& file) : file_(file) {
  tame_library();
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_cache(access.get(), 0, 521, kChunkCacheBytes, 0.75);
  H5Pset_file_locking(access.get(), false, true);  // open_hdf5() has locked it
  // By the open descriptor: what is read is what was looked at.
  id_ = Hdf5Id(H5Fopen(fmt::format("/proc/self/fd/{}", file.fd()).c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!id_.is_open()) refuse("HDF5 cannot open it, expected an undamaged file", "");
}

void Hdf5File::refuse(const std::string& message, const std::string& field) const {
  const std::string reason = reason_of_library();
  file_.refuse(reason.empty() ? message : fmt::format("{} ({})", message, reason), field);
}

std::unique_ptr<const RegularFile> open_hdf5(const std::filesystem::path& path) {
  if (::access(path.c_str(), R_OK) != 0 && errno == EACCES)
    throw EnvironmentError(kHdf5Code, printable(path.string()), fmt::format("cannot open: {}", std::strerror(errno)));
  auto file = std::make_unique<const RegularFile>(path, kHdf5Code);
  if (::flock(file->fd(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {  // file systems without locks have none
    throw EnvironmentError(kHdf5Code, file->where(),
                           fmt::format("a writer has locked it: {}; wait until it is closed", std::strerror(errno)));
  }
  std::array<char, 8> start{};
  const std::string_view bytes(start.data(), file->read_some(0, start.data(), start.size()));
  if (bytes != "\x89HDF\r\n\x1a\n")
    file->refuse(fmt::format("got {}, expected an HDF5 file", bytes.empty() ? "an empty file" : "something else"));
  return file;
}

}  // namespace amae
