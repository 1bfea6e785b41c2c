// Zip archives made by hand, also such as no honest program writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amae {

/// `value` little-endian in `width` bytes.
inline std::string bytes_of(uint64_t value, size_t width) {
  std::string bytes;
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

/// CRC-32 of zip: reflected polynomial 0xEDB88320.
inline uint32_t crc32_of(std::string_view bytes) {
  uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

struct ZipPart {
  std::string name, bytes;
  uint16_t method = 0;        ///< 0 stored, 8 deflated
  int64_t claimed_size = -1;  ///< of the content; -1: the true one
  int same_as = -1;           ///< the directory points to the bytes of this earlier part
};

/// An archive of the parts, in the order given. Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16.
inline std::string zip_of(const std::vector<ZipPart>& parts) {
  std::string archive, directory;
  std::vector<size_t> offsets;
  for (const ZipPart& part : parts) {
    const std::string& bytes = part.same_as < 0 ? part.bytes : parts[static_cast<size_t>(part.same_as)].bytes;
    const auto size = part.claimed_size < 0 ? bytes.size() : static_cast<uint64_t>(part.claimed_size);
    const std::string common = bytes_of(10, 2) + bytes_of(0, 2) + bytes_of(part.method, 2) + bytes_of(0, 2) +
                               bytes_of(0x21, 2) + bytes_of(crc32_of(bytes), 4) + bytes_of(bytes.size(), 4) +
                               bytes_of(size, 4) + bytes_of(part.name.size(), 2) + bytes_of(0, 2);
    offsets.push_back(part.same_as < 0 ? archive.size() : offsets[static_cast<size_t>(part.same_as)]);
    if (part.same_as < 0) archive += bytes_of(0x04034b50, 4) + common + part.name + bytes;
    directory +=
        bytes_of(0x02014b50, 4) + bytes_of(10, 2) + common + bytes_of(0, 10) + bytes_of(offsets.back(), 4) + part.name;
  }
  return archive + directory + bytes_of(0x06054b50, 4) + bytes_of(0, 4) + bytes_of(parts.size(), 2) +
         bytes_of(parts.size(), 2) + bytes_of(directory.size(), 4) + bytes_of(archive.size(), 4) + bytes_of(0, 2);
}

}  // namespace amae
