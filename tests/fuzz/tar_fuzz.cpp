// Tar archives: any bytes are a list of files within the archive, each name once, or refused.
#include <set>

#include "amae/error.h"
#include "io/tar_reader.h"
#include "target.h"

AMAE_FUZZ_TARGET(tar)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file;
  file.put(amae::fuzz::text_of(data, size));
  try {
    const amae::RegularFile archive(file.path(), "TAR");
    std::set<std::string> names;
    for (const amae::TarEntry& entry : amae::read_tar(archive)) {
      amae::fuzz::require(entry.offset <= size && entry.size <= size - entry.offset, "a file lies within the archive");
      amae::fuzz::require(names.insert(entry.name).second, "names differ");
    }
  } catch (const amae::Error&) {  // refused
  }
  return 0;
}
