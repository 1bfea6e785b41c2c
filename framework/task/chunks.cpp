#include "task/chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace amae {
namespace {

/// For n >= 0; n + d might overflow.
int64_t divided_up(int64_t n, int64_t d) { return n / d + (n % d != 0 ? 1 : 0); }

}  // namespace

Chunks::Chunks(int64_t total, int64_t length, int64_t hop) : total_(total), length_(length), hop_(hop), count_(1) {
  if (total < 1 || length < 1 || hop < 1) {
    throw std::invalid_argument(fmt::format("Chunks: got total {}, length {}, hop {}", total, length, hop));
  }
  // A chunk behind a gap may begin behind the end.
  if (total > length) count_ = std::min(1 + divided_up(total - length, hop), divided_up(total, hop));
}

Chunk Chunks::operator[](int64_t number) const {
  const int64_t begin = number * hop_;
  return {begin, std::min(length_, total_ - begin)};
}

int64_t frames_of(double seconds, double rate_hz) {
  constexpr double kMost = 9e15;  // whole numbers are exact in a double so far
  const double frames = std::round(seconds * rate_hz);
  return frames >= 1 ? static_cast<int64_t>(std::min(frames, kMost)) : 1;
}

}  // namespace amae
