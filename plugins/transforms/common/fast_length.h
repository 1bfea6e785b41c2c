// Lengths that an FFT is quick for.
#pragma once

#include <algorithm>
#include <cstdint>

namespace amae {

/// The smallest 2^a 3^b 5^c >= n: lengths with large prime factors cost an FFT several times as much.
inline int64_t fast_length(int64_t n) {
  for (int64_t length = std::max<int64_t>(1, n);; ++length) {
    int64_t rest = length;
    for (const int64_t factor : {2, 3, 5}) {
      while (rest % factor == 0) rest /= factor;
    }
    if (rest == 1) return length;
  }
}

}  // namespace amae
