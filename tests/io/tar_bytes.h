// The bytes of tar archives, good and bad, for tests. Source: POSIX.1-2001, pax, "ustar Interchange Format".
#pragma once

#include <fmt/format.h>

#include <string>

namespace amae {

/// A header and content filled up to whole blocks; `size`: of the header's field, empty: the content's own.
inline std::string tar_entry(const std::string& name, const std::string& content, char type = '0',
                             std::string size = "") {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 8, std::string("0000644\0", 8));
  if (size.empty()) size = fmt::format("{:011o}", content.size());
  header.replace(124, size.size(), size);
  header.replace(136, 11, "00000000000");
  header[156] = type;
  header.replace(257, 8, std::string("ustar\00000", 8));
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace amae
