// .npy files written by hand: what NumPy would never write.
#pragma once

#include <fmt/format.h>

#include <string>

namespace amae {

/// Format 1.0 with this header and data.
inline std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& data,
                             const std::string& fortran_order = "False") {
  const std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran_order, shape);
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + data;
}

}  // namespace amae
