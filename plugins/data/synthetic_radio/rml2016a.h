// Frames as the generator of RML2016.10a made them, with its flaws, so that accuracy curves can be compared.
// Source: radioML/dataset (generate_RML2016.10a.py and its sources), GNU Radio 3.7's channel models; what these do is
// told here in our own words. "There" means that generator.
//
// Kept from there:
// - A transmission is 10,000 bits (QAM16 20,000, QAM64 30,000) at 8 samples a symbol, or 10,000 samples of sound at
//   44.1 kHz, brought to 200 kHz (AM) or to 220.5 kHz (FM; read as if it were 200). Frames of 128 samples are cut out
//   of it: the first at sample 50 to 500, the next 128 to 5 % of the transmission's length behind the start of the one
//   before; when it ends, the next transmission follows. They fall into training and test sets alike.
// - Constellations of mean power 1 (PSK), 5 (PAM4), 10 (QAM16), 42 (QAM64). Root raised cosine of roll-off 0.35 and 88
//   symbols' length, so that linear transmissions begin with 352 samples in which next to nothing is sent.
// - CPFSK of index 0.5; GFSK of 0.1 radians per sample behind a Gaussian filter of BT 0.35, amplitude 0.999.
// - AM-DSB is 1 + sound; WBFM has 75 us pre-emphasis and 75 kHz deviation for a sound of amplitude 1. AM-SSB multiplies
// by a real
//   sine of 0 Hz, so its signal is 0.
// - Channel: sample rate and carrier wander (steps of 0.01 Hz a sample, within 50 and 500 Hz); three paths (delays
//   0, 0.9 and 1.7 samples; gains 1, 0.8, 0.3), each a sum of eight sinusoids for a Doppler shift of 1 Hz, the first
//   Rician with K = 4; noise from a pool of 8192 values.
// - One seed: every transmission goes through the same channel and meets the same noise, but for its level.
// - The noise's AMPLITUDE is 10^(-label / 10). Its power is 10^(-2 label / 10), and the true SNR in the sampled band
//   2 label + 10 log10(power of the constellation) + 2.4 dB (the power of the three paths, on average over channels).
// - A frame is divided by the sum of its |x|: mean |x| is 1/128, and AM-SSB looks the same at every label.
//
// Not as there: text and sound (rml2016a_sources.h), the random numbers (so the one channel is another one: its
// gain at 0 Hz lies between -7 and 8 dB, 2.5 dB for seed 37, and moves accuracy curves by half of that), and exact
// interpolation in place of short interpolating filters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "iq.h"
#include "modulation.h"
#include "pulse.h"
#include "rml2016a_sources.h"

namespace amae {

/// What one seed gives: the same for all transmissions. Time is in samples at 200 kHz.
class Rml2016aChannel {
 public:
  explicit Rml2016aChannel(uint64_t seed);

  static constexpr size_t kSamples = 80'000;  ///< of the longest transmission
  static constexpr size_t kTaps = 8;

  /// Instant within the transmission that sample n shows.
  [[nodiscard]] double time(size_t n) const { return time_[n]; }
  [[nodiscard]] double carrier_phase(size_t n) const { return phase_[n]; }
  [[nodiscard]] const Iq& noise() const { return noise_; }  ///< mean power 1
  /// Taps of the fading filter at sample n.
  [[nodiscard]] Iq fading(size_t n) const;

 private:
  struct Path {
    double gain = 0, delay = 0, steady = 0, random = 0;
    double steady_doppler = 0, steady_phase = 0;  // radians per sample, radians
    std::array<double, 8> i_doppler, i_phase, q_doppler, q_phase;
  };
  std::vector<double> time_, phase_;
  Iq noise_;
  std::array<Path, 3> paths_;
};

/// Thread-safe once built.
class Rml2016a {
 public:
  static constexpr size_t kLength = 128;

  /// Cell c has modulation c / snr.size() of `modulations` and label c % snr.size() of `snr_db`; `frames` of each.
  Rml2016a(uint64_t seed, std::vector<const Modulation*> modulations, std::vector<double> snr_db, int64_t frames);

  /// The two parts of a frame as the receiver gets them, before they are added and divided.
  void parts(size_t modulation, size_t snr, int64_t frame, Iq& signal, Iq& noise) const;
  /// The frame itself; i and q hold kLength samples.
  void frame(size_t modulation, size_t snr, int64_t frame, std::span<float> i, std::span<float> q) const;

  /// Samples of a transmission.
  static size_t transmission_length(const Modulation& modulation);

  /// Where a frame was cut out.
  struct Window {
    int32_t start;         ///< sample of the transmission
    int32_t transmission;  ///< 0, 1, … within the cell
  };
  [[nodiscard]] const std::vector<Window>& windows() const { return windows_; }  ///< [cells, frames]

 private:
  [[nodiscard]] Iq sent(const Modulation& modulation, const TextBits::Pattern& pattern,
                        std::span<const double> times) const;
  [[nodiscard]] Iq sent_symbols(const Modulation& modulation, const TextBits::Pattern& pattern,
                                std::vector<double> times) const;
  [[nodiscard]] Iq sent_frequencies(const Modulation& modulation, const TextBits::Pattern& pattern,
                                    std::vector<double> times) const;

  uint64_t seed_;
  std::vector<const Modulation*> modulations_;
  std::vector<double> snr_db_;
  int64_t frames_;
  std::vector<Window> windows_;
  Rml2016aChannel channel_;
  TextBits text_;
  std::vector<float> speech_, fm_phase_;
  Pulse shaping_, cpfsk_, gfsk_;
};

}  // namespace amae
