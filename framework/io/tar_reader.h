// Tar archives, read strictly: a list of what lies where. Nothing is ever extracted.
// Source: POSIX.1-2001, pax, "ustar Interchange Format" and "pax Interchange Format"; for what GNU tar adds (long
// names, sizes in base 256), its manual, "Basic Tar Format".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/regular_file.h"

namespace amae {

struct TarEntry {
  std::string name;     ///< as the archive has it, without "./" before it; bytes
  uint64_t offset = 0;  ///< of its content in the archive
  uint64_t size = 0;    ///< bytes, all within the archive
};

/// True when the file begins with a ustar header: its magic is there and its checksum right.
bool is_tar(const RegularFile& file);

/// The regular files of an archive, by name; folders, links and devices are passed over. Refused with InputError (code
/// of the file, field "tar archive"): a header whose checksum or numbers are wrong, an archive cut anywhere, also
/// before the zeros at its end; more than 100,000 entries; names or extended headers over 64 KiB; two files of one
/// name; sparse files.
std::vector<TarEntry> read_tar(const RegularFile& file);

}  // namespace amae
