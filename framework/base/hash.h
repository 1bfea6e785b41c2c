// Hashes: SHA-256 for identity that is shown and kept, XXH3 for cache keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace amae {

/// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// SHA-512 of bytes that come piece by piece.
class Sha512 {
 public:
  Sha512();
  ~Sha512();
  Sha512(const Sha512&) = delete;
  Sha512& operator=(const Sha512&) = delete;

  void add(const void* data, size_t size);
  /// 128 lower-case hexadecimal digits. Once.
  std::string finish();

 private:
  struct Digest;
  std::unique_ptr<Digest> digest_;
};

/// 32 lower-case hexadecimal digits (XXH3, 128 bit).
std::string xxh3_hex(std::string_view bytes);

/// Hash of a file's content by streaming. Throws InputError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);
std::string xxh3_file(const std::filesystem::path& path);

}  // namespace amae
