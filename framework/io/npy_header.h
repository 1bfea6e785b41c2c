// The header of a NumPy array: what lies behind it, and where.
// Source: NumPy enhancement proposal 1 and numpy/lib/format.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_source.h"

namespace amae {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

struct NpyHeader {
  std::string descr;  ///< type of the numbers: byte order, kind and bytes, e.g. "<f4"
  std::vector<int64_t> shape;
  uint64_t data_at = 0;  ///< offset of the first number
};

/// Reads the formats 1.0, 2.0 and 3.0. Refuses (field "magic", "version", "header", "descr", "fortran_order" or
/// "shape") what numpy.load(allow_pickle=False) would refuse, Fortran order and record types; limits are checked before
/// anything is allocated. Which types are known is the caller's matter.
NpyHeader read_npy_header(const ByteSource& source);

/// What stands before the numbers in a file of format 1.0, C order: magic, version and header, a multiple of 64 bytes.
std::string npy_header(std::string_view descr, const std::vector<int64_t>& shape);

/// Bytes of the numbers, `item_bytes` each, checked to be all that follows the header (field "shape" or "data").
uint64_t npy_data_bytes(const ByteSource& source, const NpyHeader& header, size_t item_bytes);

}  // namespace amae
