// Independent frames of one modulation each, through a channel of their own, at a true SNR.
//
// A frame of L samples is r[n] = g (s[n] + w[n]):
//
//   s    the modulated waveform, sampled with a rate offset, turned by carrier offset and phase, faded; mean power over
//        the frame 1
//   w    complex white Gaussian noise of mean power 10^(-SNR / 10)
//   g    such that the frame's mean power is 1, so that its level does not tell the SNR
//
// SNR (dB) is the power of the signal over that of the noise, both in the whole sampled band, and holds for each frame:
// s is scaled by its own power, after fading. It is defined for analog modulations too. For linear modulations, whose
// symbols last S samples, it is Es/N0 = SNR + 10 log10(S) (9.03 dB more at S = 8), what a matched filter gives.
//
// Drawn anew for each frame: symbols or sound, instant of sampling within a symbol, phase in a full turn, carrier
// offset and rate offset within their bounds, and the fading, which does not change within a frame (at 200 kHz a
// Doppler shift of 1 Hz turns 128 samples by 0.23 degrees). "Sound" is sixteen tones between 100 Hz and 15 kHz, drawn
// evenly over the octaves, without pauses: a stand-in for speech or music, of which a frame of 0.64 ms holds a few
// periods.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "amae/draw.h"
#include "iq.h"
#include "modulation.h"
#include "pulse.h"
#include "radio_options.h"

namespace amae {

/// What was sent and how it was received: enough to undo all but fading and noise.
struct FrameTruth {
  Iq symbols;          ///< linear and offset: symbol k has its centre at time k
  double first = 0;    ///< time of sample 0 in symbols
  double step = 0;     ///< symbols per sample
  double phase = 0;    ///< of the carrier at sample 0, radians
  double carrier = 0;  ///< offset, radians per sample
};

struct FrameParts {
  Iq signal, noise;  ///< mean power 1; expected power 10^(-snr_db / 10)
  FrameTruth truth;
};

/// Thread-safe once built.
class CleanRadio {
 public:
  /// `options` has passed check().
  explicit CleanRadio(const SyntheticRadioOptions& options);

  /// `signal_draw` decides all but the noise, `noise_draw` the noise.
  [[nodiscard]] FrameParts parts(const Modulation& modulation, double snr_db, Draw& signal_draw,
                                 Draw& noise_draw) const;

  /// The frame itself; i and q hold `length` samples.
  void frame(const Modulation& modulation, double snr_db, Draw& signal_draw, Draw& noise_draw, std::span<float> i,
             std::span<float> q) const;

  /// Amplitude of each path in one frame: complex Gaussian of power gain^2, of which the first has K / (K + 1) steady
  /// in `fading: rician`. The frame is scaled to power 1 afterwards, so that a single path changes its phase alone.
  [[nodiscard]] std::vector<std::complex<double>> draw_paths(Draw& draw) const;

 private:
  [[nodiscard]] Iq digital(const Modulation& modulation, std::span<const double> times, Draw& draw,
                           FrameTruth& truth) const;
  [[nodiscard]] Iq analog(Family family, size_t samples, double step_s, Draw& draw) const;
  [[nodiscard]] Iq faded(const Iq& x, Draw& draw) const;

  SyntheticRadioOptions options_;
  Pulse shaping_, rectangular_, gfsk_, gmsk_;
  std::vector<std::vector<float>> path_taps_;  // of each path, a filter that delays
};

}  // namespace amae
