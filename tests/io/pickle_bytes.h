// Pickles written by hand, opcode by opcode: what PyTorch would never write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/io/zip_bytes.h"

namespace amae::pickled {

inline std::string text(const std::string& value) { return "X" + bytes_of(value.size(), 4) + value; }
inline std::string integer(int64_t value) {
  return std::string("\x8a\x08", 2) + bytes_of(static_cast<uint64_t>(value), 8);
}
inline std::string name(const std::string& module, const std::string& what) {
  return "c" + module + "\n" + what + "\n";
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const std::string& item : items) bytes += item;
  return bytes + "t";
}
inline std::string integers(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) items.push_back(integer(value));
  return tuple(items);
}
/// Keys and values in turn.
inline std::string dict(const std::vector<std::string>& items) {
  std::string bytes = "}(";
  for (const std::string& item : items) bytes += item;
  return bytes + "u";
}

inline std::string storage(const std::string& type, const std::string& key, int64_t elements) {
  return tuple({text("storage"), name("torch", type), text(key), text("cpu"), integer(elements)}) + "Q";
}
inline std::string tensor(const std::string& storage_bytes, int64_t offset, const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return name("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage_bytes, integer(offset), integers(sizes), integers(strides), "\x89",
                name("collections", "OrderedDict") + ")R"}) +
         "R";
}

/// An array of floats, as Python 2 writes one in protocol 2; `type` and `order` of its dtype.
inline std::string cell_array(const std::vector<int64_t>& shape, const std::string& bytes,
                              const std::string& type = "f4", const std::string& order = "<") {
  const std::string dtype = name("numpy", "dtype") + tuple({text(type), "\x89", "\x88"}) + "R" +
                            tuple({"K\x03", text(order), "N", "N", "N", integer(-1), integer(-1), integer(0)}) + "b";
  return name("numpy.core.multiarray", "_reconstruct") +
         tuple({name("numpy", "ndarray"), integers({0}),
                "U\x01"
                "b"}) +
         "R" + tuple({"K\x01", integers(shape), dtype, "\x89", "T" + bytes_of(bytes.size(), 4) + bytes}) + "b";
}
/// One of float32 zeros.
inline std::string zeros(const std::vector<int64_t>& shape) {
  size_t size = 4;
  for (const int64_t axis : shape) size *= static_cast<size_t>(axis);
  return cell_array(shape, std::string(size, '\0'));
}
/// The key of a RadioML cell.
inline std::string cell_key(const std::string& modulation, int64_t snr_db) {
  return tuple({text(modulation), integer(snr_db)});
}

/// A whole pickle of protocol 2.
inline std::string whole(const std::string& body) { return "\x80\x02" + body + "."; }

}  // namespace amae::pickled
