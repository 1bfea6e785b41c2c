// The chunks of a dataset of an HDF5 file, measured before the library decodes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hdf5_file.h"

namespace amae {

/// Places of the filters in the order in which a chunk was written through them; -1: not among them.
struct ChunkFilters {
  int deflate = -1, shuffle = -1, fletcher32 = -1;
};

/// HDF5 (1.14.5: H5Z__filter_deflate, H5D__chunk_lock) inflates a chunk to the end of its stream, however large a chunk
/// is to be, keeps all that in a cache that counts it as one chunk, and reads a whole chunk from it even where less
/// came out. So whatever a chunk could do is measured here first: what is stored of each when this is made, and what
/// that inflates to before the rows in it are read for the first time. Nothing inflated is kept: a bit says that it
/// fits.
///
/// The caller holds the lock (lock_hdf5) during every member. `file` and `dataset` must outlive this. Refusals are
/// InputError, where = the file, field = "NAME" or "NAME, row N".
class Hdf5Chunks {
 public:
  /// Refused: chunks over 64 MiB; those that were never written, or are stored in other sizes than their filters make;
  /// those at the edges left out of the filters.
  Hdf5Chunks(const Hdf5File& file, std::string name, const Hdf5Id& dataset, const Hdf5Id& creation,
             std::vector<int64_t> shape, ChunkFilters filters);

  /// Before rows are read. Refused: a chunk of theirs that inflates to more or fewer bytes than a chunk has.
  void check_rows(int64_t first, int64_t count) const;

 private:
  struct Sizes {
    uint64_t least, most;
  };
  [[nodiscard]] bool went_through(int filter, unsigned skipped) const;
  [[nodiscard]] Sizes stored_sizes(unsigned skipped) const;
  void check_written() const;
  void check_stored_sizes() const;
  void check_chunk(const std::vector<hsize_t>& offset, int64_t row) const;
  [[noreturn]] void refuse(const std::string& message) const { file_.refuse(message, name_); }
  [[noreturn]] void refuse_row(int64_t row, const std::string& message) const;
  [[noreturn]] void refuse_stored(int64_t row, uint64_t bytes, unsigned skipped) const;

  const Hdf5File& file_;
  std::string name_;
  hid_t dataset_;
  std::vector<int64_t> shape_;
  ChunkFilters filters_;
  std::vector<hsize_t> chunk_;             // numbers along each axis
  uint64_t bytes_ = 0;                     // of a chunk, decoded
  mutable std::vector<bool> is_measured_;  // the chunks of each step along the rows
};

}  // namespace amae
