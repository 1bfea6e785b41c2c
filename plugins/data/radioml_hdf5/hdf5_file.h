// An HDF5 file opened for reading, with all that could lead out of it turned off. HDF5's C API is used under one lock:
// Debian's library is not thread-safe.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "io/regular_file.h"

namespace amae {

inline constexpr const char* kHdf5Code = "HDF5";

/// Held around every call of the library.
[[nodiscard]] std::unique_lock<std::mutex> lock_hdf5();

/// An id of the library that closes itself; under the lock.
class Hdf5Id {
 public:
  Hdf5Id() = default;
  Hdf5Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

/// The caller holds the lock during every member.
class Hdf5File {
 public:
  /// `file` must outlive this. Throws InputError (code HDF5, where = the file) when the library cannot open it.
  explicit Hdf5File(const RegularFile& file);

  [[nodiscard]] hid_t id() const { return id_.get(); }
  [[nodiscard]] const RegularFile& file() const { return file_; }

  /// Throws InputError about `field` with the library's reason behind `message`.
  [[noreturn]] void refuse(const std::string& message, const std::string& field) const;

 private:
  const RegularFile& file_;
  Hdf5Id id_;
};

/// Opens and looks at the first bytes. The file is locked against HDF5's writers for as long as it is open. Throws
/// InputError when it is no HDF5 file, EnvironmentError when it may not be read or a writer has it.
std::unique_ptr<const RegularFile> open_hdf5(const std::filesystem::path& path);

}  // namespace amae
