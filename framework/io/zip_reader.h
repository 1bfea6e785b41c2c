// Zip archives of stored (not compressed) entries, as torch.save writes them; read strictly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/regular_file.h"

namespace amae {

struct ZipEntry {
  std::string name;   ///< as the archive has it, bytes
  uint64_t size = 0;  ///< bytes, not compressed
  uint64_t number = 0;
  bool is_plain = true;  ///< stored and not encrypted: can be read
};

/// Refused with InputError (code as given, where = path, field = entry): no zip archive or a cut one, more than 100,000
/// entries, two of one name, and entries that together take more bytes than the file has: they would share bytes, and a
/// small file could fill the memory. Compressed and encrypted entries are listed, but refused when they are read:
/// nothing is ever inflated. Not for several threads at a time.
class ZipReader {
 public:
  ZipReader(const std::filesystem::path& path, const std::string& code);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  [[nodiscard]] const RegularFile& file() const { return file_; }
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }  ///< by name
  [[nodiscard]] const ZipEntry* find(const std::string& name) const;               ///< null when there is none

  /// All of an entry, its CRC-32 checked; `target` has room for entry.size bytes. Throws InputError when it differs.
  void read(const ZipEntry& entry, void* target) const;

  /// `count` bytes of a plain entry from `offset` on. No CRC is checked: it is that of the whole. Throws InputError
  /// when there are fewer.
  void read_at(const ZipEntry& entry, uint64_t offset, void* target, size_t count) const;

  /// As read() for small entries; throws InputError beyond `limit_bytes`.
  [[nodiscard]] std::string read_text(const ZipEntry& entry, uint64_t limit_bytes) const;

 private:
  struct Archive;
  RegularFile file_;
  std::unique_ptr<Archive> archive_;
  std::vector<ZipEntry> entries_;
};

}  // namespace amae
