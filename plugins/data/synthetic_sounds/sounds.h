// Ten kinds of sounds, computed. They share one range of centre frequencies, so that what tells them apart is how the
// spectrum moves in time, not where its energy lies on average.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "amae/draw.h"

namespace amae {

/// Raised whenever the numbers of make_sound change: part of the cache key.
inline constexpr int kSoundsVersion = 1;

enum class SoundKind : uint32_t {
  chirp_up,      ///< a tone that rises by a factor of 2..4
  chirp_down,    ///< a tone that falls by a factor of 2..4
  tremolo,       ///< a tone whose level swings at 5..12 Hz
  vibrato,       ///< a tone whose pitch swings by 5..12 % at 5..9 Hz
  clicks,        ///< 8..20 ringing clicks a second
  bell,          ///< one to three strikes of inharmonic, decaying partials
  noise_bursts,  ///< three to six bursts of band noise a second
  siren,         ///< a tone that sweeps up and down over a factor of 1.8..3 at 2..3.5 Hz
  buzz_glide,    ///< many harmonics of a low pitch that glides up or down
  noise_sweep,   ///< band noise whose centre glides up or down by a factor of 3..6
};

inline constexpr std::array<const char*, 10> kSoundNames = {"chirp_up",   "chirp_down", "tremolo",      "vibrato",
                                                            "clicks",     "bell",       "noise_bursts", "siren",
                                                            "buzz_glide", "noise_sweep"};

/// One clip: the sound in a random part (60..100 %) of `samples` at `rate_hz`, over pink-ish noise whose power in that
/// part is `snr_db` below the sound's; then scaled to a random peak in 0.1..0.9. All choices come from `draw`.
std::vector<float> make_sound(SoundKind kind, int64_t samples, double rate_hz, double snr_db, Draw& draw);

}  // namespace amae
