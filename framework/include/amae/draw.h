// Counter-based random numbers: what a sample gets depends on (seed, epoch, sample, stage) and on nothing else, so
// worker count, resume point and the order of work never change a number.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace amae {

/// A stream of random numbers for one (seed, epoch, sample, stage). Cheap to make; not thread-safe; copy to replay.
///
/// Philox4x32-10. Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
class Draw {
 public:
  /// seed: of the run; epoch and sample: 0-based (only the low 32 bits of the epoch count); stage: which transform in
  /// the chain, or one of the core's own streams.
  Draw(uint64_t seed, uint64_t epoch, uint64_t sample, uint32_t stage);

  uint32_t bits();                              ///< 32 uniform bits
  double uniform();                             ///< [0, 1), 53 bits
  double uniform(double low, double high);      ///< [low, high)
  int64_t integer(int64_t low, int64_t high);   ///< low <= n < high, without modulo bias; needs low < high
  bool chance(double p);                        ///< true with probability p
  double normal();                              ///< mean 0, variance 1 (Box-Muller)
  double gamma(double shape);                   ///< scale 1, shape > 0 (Marsaglia and Tsang 2000)
  double beta(double a, double b);              ///< a, b > 0
  std::vector<int64_t> permutation(int64_t n);  ///< of 0..n-1 (Fisher-Yates)

  /// The raw generator, for tests against published vectors: ten rounds over a counter and a key.
  static std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace amae
