// Suffixes that a number may carry, by the unit of its field: `lr_warmup: 2 min`, `sample_rate: 16 kHz`, `share: 10%`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace amae::config {

/// value in the field's unit = number * numerator / denominator. One of both is 1, so that `25 ms` is exactly 0.025.
struct Suffix {
  std::string_view text;
  int64_t numerator = 1;
  int64_t denominator = 1;
};

/// Empty for a unit without suffixes.
std::span<const Suffix> suffixes_of(std::string_view unit);

}  // namespace amae::config
