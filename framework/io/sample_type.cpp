#include "io/sample_type.h"

#include <c10/util/Half.h>

#include <bit>
#include <cstring>
#include <type_traits>

namespace amae {
namespace {

static_assert(std::endian::native == std::endian::little, "what is not big-endian in a file is as in memory");

template <class Bits>
Bits swapped(Bits bits) {
  if constexpr (sizeof(Bits) == 2) return __builtin_bswap16(bits);
  if constexpr (sizeof(Bits) == 4) return __builtin_bswap32(bits);
  if constexpr (sizeof(Bits) == 8) return __builtin_bswap64(bits);
  return bits;
}

/// Calls `number` with the bits of each of the numbers.
template <class Bits, class Number>
void convert(const SampleType& type, const void* source, size_t step_bytes, int64_t count, float* target,
             const Number& number) {
  const auto* at = static_cast<const char*>(source);
  for (int64_t i = 0; i < count; ++i, at += step_bytes) {
    Bits bits;
    std::memcpy(&bits, at, sizeof(bits));
    target[i] = number(type.is_big_endian ? swapped(bits) : bits);
  }
}

template <class Bits>
void convert_integers(const SampleType& type, const void* source, size_t step_bytes, int64_t count, float* target) {
  using Signed = std::make_signed_t<Bits>;
  constexpr Bits kTop = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  constexpr double kFullScale = static_cast<double>(kTop);
  // With its top bit turned, an unsigned number's bits are those of the signed one that lies 2^(bits - 1) below.
  const Bits turned = type.kind == SampleType::Kind::unsigned_integer ? kTop : Bits{0};
  convert<Bits>(type, source, step_bytes, count, target, [turned](Bits bits) {
    return static_cast<float>(static_cast<double>(static_cast<Signed>(static_cast<Bits>(bits ^ turned))) / kFullScale);
  });
}

}  // namespace

void to_float32(const SampleType& type, const void* source, size_t step_bytes, int64_t count, float* target) {
  if (type.kind == SampleType::Kind::floating) {
    switch (type.bytes) {
      case 2:
        return convert<uint16_t>(type, source, step_bytes, count, target,
                                 [](uint16_t bits) { return c10::detail::fp16_ieee_to_fp32_value(bits); });
      case 8:
        return convert<uint64_t>(type, source, step_bytes, count, target,
                                 [](uint64_t bits) { return static_cast<float>(std::bit_cast<double>(bits)); });
      default:
        return convert<uint32_t>(type, source, step_bytes, count, target,
                                 [](uint32_t bits) { return std::bit_cast<float>(bits); });
    }
  }
  switch (type.bytes) {
    case 1:
      return convert_integers<uint8_t>(type, source, step_bytes, count, target);
    case 2:
      return convert_integers<uint16_t>(type, source, step_bytes, count, target);
    case 8:
      return convert_integers<uint64_t>(type, source, step_bytes, count, target);
    default:
      return convert_integers<uint32_t>(type, source, step_bytes, count, target);
  }
}

}  // namespace amae
