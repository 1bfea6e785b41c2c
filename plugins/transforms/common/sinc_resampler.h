// Band-limited resampling by a rational ratio with a windowed sinc.
//
// The definition is torchaudio's (torchaudio.functional.resample, from J. Smith, "Digital Audio Resampling"): with the
// rates divided by their gcd and base = min(from, to) * rolloff, output sample n = i*to + j is
//
//   y[n] = base/from * sum_m x[i*from + m] w(t) sinc(pi t),   t = base * (m/from - j/to),  |t| <= width
//
// torchaudio convolves with all `from + 2*ceil(width*from/base)` taps of each of the `to` phases. Only the taps inside
// the window differ from zero, so each phase here keeps just those: 186 instead of 577 for 44.1 -> 32 kHz.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace amae {

enum class SincWindow { hann, kaiser };

/// The defaults keep images and aliases below -90 dB and ripple below 0.05 dB to 0.9 of the lower Nyquist frequency
/// for 44.1 -> 16 and 44.1 -> 32 kHz. torchaudio's own defaults are {hann, 6, 0.99}.
struct SincKernel {
  SincWindow window = SincWindow::kaiser;
  int64_t width = 64;                ///< zero crossings of the sinc on each side
  double rolloff = 0.9475937;        ///< cut-off as a share of the lower Nyquist frequency
  double beta = 14.769656459379492;  ///< of the Kaiser window
};

/// For augmentation, where a filter is made for each example: images and aliases below -80 dB, half the taps.
inline constexpr SincKernel kBriskKernel{SincWindow::kaiser, 32, 0.92, 8.0};

/// Filter for one pair of rates; immutable, so any number of threads may share it.
class SincResampler {
 public:
  /// Rates in the same unit, whole numbers > 0. Throws InputError when the reduced ratio would need a filter of more
  /// than 256 MiB. Kernel built in float64, kept in float32.
  SincResampler(int64_t from, int64_t to, const SincKernel& kernel = {});

  /// ceil(n * to / from)
  [[nodiscard]] int64_t length(int64_t n) const { return (n * to_ + from_ - 1) / from_; }

  /// The first `count` <= length(n) output samples of x[0..n); samples outside are 0. y must not overlap x.
  void run(const float* x, int64_t n, float* y, int64_t count) const;

 private:
  int64_t from_, to_;           // reduced
  int64_t taps_ = 0;            // per phase, a multiple of kLanes
  std::vector<int64_t> first_;  // [to_] input index of tap 0 relative to the block's start
  std::vector<float> kernel_;   // [to_, taps_]
};

/// The fraction p/q nearest to `value` > 0 with q <= limit (continued fractions); p is 0 for values near 0.
std::pair<int64_t, int64_t> nearest_fraction(double value, int64_t limit);

}  // namespace amae
