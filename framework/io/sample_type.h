// The numbers of a recording as files hold them, and their way to float32.
#pragma once

#include <cstddef>
#include <cstdint>

namespace amae {

struct SampleType {
  enum class Kind : uint8_t { floating, signed_integer, unsigned_integer };
  Kind kind = Kind::floating;
  int bytes = 4;               ///< of one number: 1, 2, 4 or 8; floating: 2, 4 or 8
  bool is_complex = false;     ///< a sample is two numbers, the in-phase one first
  bool is_big_endian = false;  ///< means nothing for single bytes

  [[nodiscard]] size_t sample_bytes() const { return static_cast<size_t>(bytes) * (is_complex ? 2 : 1); }
  bool operator==(const SampleType&) const = default;
};

/// `count` numbers, the first at `source` and each `step_bytes` behind the one before, as float32, rounded to nearest.
/// Integers become fractions of full scale: signed x / 2^(bits - 1), unsigned x / 2^(bits - 1) - 1, so that they lie
/// within [-1, 1]; 64-bit ones go through double. `source` need not be aligned.
void to_float32(const SampleType& type, const void* source, size_t step_bytes, int64_t count, float* target);

}  // namespace amae
