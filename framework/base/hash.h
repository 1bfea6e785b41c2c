// Hashes: SHA-256 for identity that is shown and kept, XXH3 for cache keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace amae {

/// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// 32 lower-case hexadecimal digits (XXH3, 128 bit).
std::string xxh3_hex(std::string_view bytes);

/// Hash of a file's content by streaming. Throws InputError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);
std::string xxh3_file(const std::filesystem::path& path);

}  // namespace amae
