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

/// The low 64 bits of XXH3: a key that is compared with few others, never an identity.
uint64_t xxh3_key(std::string_view bytes);

/// XXH3 (128 bit) of bytes that come piece by piece.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(const Xxh3&) = delete;
  Xxh3& operator=(const Xxh3&) = delete;

  void add(const void* data, size_t size);
  /// As xxh3_hex() of all that was added so far.
  [[nodiscard]] std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Hash of a file's content by streaming. Throws InputError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);
std::string xxh3_file(const std::filesystem::path& path);

}  // namespace amae
