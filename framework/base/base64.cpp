#include "base/base64.h"

#include <cstddef>
#include <cstdint>

namespace amae {

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])); };
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, to += 4) {
    const uint32_t group = byte(at) << 16U | byte(at + 1) << 8U | byte(at + 2);
    to[0] = kLetters[group >> 18U];
    to[1] = kLetters[group >> 12U & 63U];
    to[2] = kLetters[group >> 6U & 63U];
    to[3] = kLetters[group & 63U];
  }
  if (const size_t left = bytes.size() - at; left > 0) {  // one byte gives two letters, two give three
    const uint32_t group = byte(at) << 16U | (left == 2 ? byte(at + 1) << 8U : 0U);
    to[0] = kLetters[group >> 18U];
    to[1] = kLetters[group >> 12U & 63U];
    if (left == 2) to[2] = kLetters[group >> 6U & 63U];
  }
  return out;
}

}  // namespace amae
