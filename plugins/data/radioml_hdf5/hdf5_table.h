// One dataset of an HDF5 file as rows of plain numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdf5_chunks.h"

namespace amae {

enum class Numbers { reals, integers };

/// The caller holds the lock (lock_hdf5) during every member. `file` must outlive this.
///
/// Refused with InputError (where = the file, field = the dataset): a name that is missing, or that leads elsewhere (a
/// soft, external or user-defined link); external storage, virtual datasets, filters other than deflate, shuffle and
/// fletcher32, each at most once and shuffle before deflate; numbers of another kind, or that are no IEEE floats of 32
/// or 64 bits or integers of 8 to 64; values that were never written; more of them than the file can hold: its size, or
/// 1032 times that under deflate; and chunks as Hdf5Chunks refuses them. Memory: 64 MiB of chunks that are kept, and up
/// to thrice the largest chunk while one is read.
class Hdf5Table {
 public:
  Hdf5Table(const Hdf5File& file, const char* name, Numbers numbers);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<int64_t>& shape() const { return shape_; }  ///< the first axis is that of rows
  [[nodiscard]] int64_t rows() const { return shape_[0]; }
  [[nodiscard]] int64_t row_size() const;  ///< numbers in a row
  [[nodiscard]] std::string shape_text() const;

  /// `count` rows from `first` on, in the file's order of axes, converted by the library. Throws InputError (field =
  /// "NAME, row N") for those that cannot be read.
  void read(int64_t first, int64_t count, float* target) const;
  void read(int64_t first, int64_t count, int64_t* target) const;

  [[noreturn]] void refuse(const std::string& message) const { file_.refuse(message, name_); }

 private:
  void open();
  void check_type(Numbers numbers) const;
  void check_filters(const Hdf5Id& creation);
  void check_size(const Hdf5Id& creation);
  void read(int64_t first, int64_t count, hid_t type, void* target) const;

  const Hdf5File& file_;
  std::string name_;
  Hdf5Id id_;
  std::vector<int64_t> shape_;
  ChunkFilters filters_;
  std::optional<const Hdf5Chunks> chunks_;
};

}  // namespace amae
