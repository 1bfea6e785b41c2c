// Second-order filters by the Audio EQ Cookbook.
// Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (W3C Note, 2021).
#pragma once

#include <cstdint>

namespace amae {

enum class FilterKind {
  low_pass,
  high_pass,
  band_pass,  ///< 0 dB at its centre
  peaking,    ///< gain_db at its centre, 0 dB far from it
};

/// H(z) = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2)
struct Biquad {
  double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;

  /// y[0..n) from x[0..n), which may be the same memory; silence before it. Sums in float64.
  void run(const float* x, float* y, int64_t n) const;
};

/// frequency: corner or centre in cycles per sample, above 0 and below 0.5; q > 0; gain_db counts for peaking only.
Biquad make_biquad(FilterKind kind, double frequency, double q, double gain_db = 0);

}  // namespace amae
