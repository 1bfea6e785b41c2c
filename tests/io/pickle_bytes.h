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

/// A whole pickle of protocol 2.
inline std::string whole(const std::string& body) { return "\x80\x02" + body + "."; }

}  // namespace amae::pickled
