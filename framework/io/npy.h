// NumPy arrays out and in: format 1.0 of numpy.lib.format, C order, little-endian. Never pickled objects.
// Source: NumPy enhancement proposal 1 and numpy/lib/format.py.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>

namespace amae {

/// float16, float32, float64, int32, int64 or uint8 of any shape (temporary name, then renamed). Throws
/// EnvironmentError when the disk says no; std::invalid_argument for another type.
void write_npy(const std::filesystem::path& path, const at::Tensor& array);

/// Reads the formats 1.0, 2.0 and 3.0. Throws InputError (code "NPY", where = path, field "magic", "version", "header",
/// "descr", "fortran_order", "shape" or "data") for what numpy.load(allow_pickle=False) would refuse, for big-endian,
/// Fortran-order or other types than above, and for bytes behind the array: limits are checked before anything is
/// allocated.
at::Tensor read_npy(const std::filesystem::path& path);

}  // namespace amae
