// Pulses of digital modulation as tables, so that a waveform can be had at any instant. Time is in symbols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace amae {

/// Root raised cosine of unit energy at time t, roll-off a in (0, 1]: independent symbols of unit power through it give
/// a waveform of unit power, and through it once more their own values again at the symbols' instants.
/// Source: Proakis & Salehi 2008, "Digital Communications", 5th edition, section 9.2-1.
double root_raised_cosine(double t, double roll_off);

/// Integral up to t of a frequency pulse one symbol wide around 0, of area 1: from 0 to 1.
double rectangular_phase_pulse(double t);

/// The same after a Gaussian filter whose 3 dB bandwidth is bt over the symbol time.
/// Source: Murota & Hirade 1981, "GMSK modulation for digital mobile radio telephony".
double gaussian_phase_pulse(double t, double bt);

/// f on a grid of 512 points a symbol, linear between them: within 1e-5 of f for the pulses above.
class Pulse {
 public:
  /// f over (-reach, reach); what lies outside is not kept.
  Pulse(int reach, const std::function<double(double)>& f);

  [[nodiscard]] int reach() const { return reach_; }
  [[nodiscard]] size_t count() const { return static_cast<size_t>(2 * reach_); }

  /// The 2 reach symbols whose pulses are felt at time t are first .. first + 2 reach - 1; returns `first` and writes
  /// f(t - k) for each of them.
  int64_t weights(double t, float* out) const;

 private:
  int reach_;
  std::vector<float> table_;  // [513, count()]: row a, column j: f(a / 512 + reach - 1 - j)
};

}  // namespace amae
