// CRC-32C (Castagnoli), the checksum of TFRecord files.
#pragma once

#include <cstdint>
#include <string_view>

namespace amae {

/// Reflected polynomial 0x82F63B78, start and final XOR 0xFFFFFFFF. crc32c("123456789") = 0xE3069283 (RFC 3720, B.4).
uint32_t crc32c(std::string_view bytes);

}  // namespace amae
