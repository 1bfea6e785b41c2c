// A NumPy array whose numbers stay in the file until they are asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/byte_source.h"
#include "io/npy_header.h"
#include "io/sample_type.h"

namespace amae {

/// In memory is the header alone; rows are the items of the first axis. Thread-safe.
class NpyArray {
 public:
  /// Reads the header. Throws InputError as read_npy_header() does, and for numbers that are not floating-point of 2, 4
  /// or 8 bytes, integers or complex (either byte order): field "descr".
  explicit NpyArray(std::shared_ptr<const ByteSource> source);

  [[nodiscard]] const std::vector<int64_t>& shape() const { return header_.shape; }
  [[nodiscard]] SampleType type() const { return type_; }
  [[nodiscard]] int64_t rows() const { return shape().empty() ? 0 : shape()[0]; }
  [[nodiscard]] size_t row_bytes() const { return row_bytes_; }

  /// The bytes of one row, as the file holds them. Throws std::out_of_range.
  [[nodiscard]] std::string read_row(int64_t row) const { return read_rows(row, 1); }
  /// The same of rows `first` to `first + count - 1`.
  [[nodiscard]] std::string read_rows(int64_t first, int64_t count) const;

  /// Throws InputError about the array.
  [[noreturn]] void refuse(const std::string& message, const std::string& field = "") const {
    source_->refuse(message, field);
  }

 private:
  std::shared_ptr<const ByteSource> source_;
  NpyHeader header_;
  SampleType type_;
  size_t row_bytes_ = 0;
};

/// The array in a .npy file, or the one of that name in an .npz archive (`name` without ".npy"; empty: its only one).
/// The content says which it is. Archives must be stored, as numpy.savez writes them, not compressed. Throws InputError
/// (code "NPY", where = path); field "array" when the name is missing or is none of the archive's, which it lists.
NpyArray open_npy_array(const std::filesystem::path& path, const std::string& name);

}  // namespace amae
