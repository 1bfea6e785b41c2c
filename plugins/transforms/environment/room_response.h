// Impulse responses of rooms, made or recorded: a direct path followed by its reverberation (the tail).
#pragma once

#include <cstdint>
#include <vector>

#include "amae/draw.h"

namespace amae {

/// h[0] = 1, the direct path; silence for pre_delay_s; then noise that loses 60 dB each rt60_s (> 0), N(0, 1) *
/// 10^(-3 t / rt60), until it is 80 dB down. The tail's energy is 10^(wet_db/10) of the direct path's.
/// Source of the model: Moorer 1979, "About This Reverberation Business", Computer Music Journal 3(2).
std::vector<float> synthetic_response(double rate_hz, double rt60_s, double pre_delay_s, double wet_db, Draw& draw);

/// A recorded response from its largest sample on, so that it does not delay: what stands up to 2.5 ms later is the
/// direct path and is given energy 1, the rest is the tail and is given 10^(wet_db/10), or left out
/// when it holds less than a millionth of the direct path (a noise floor is no reverberation). {1} when all is silent
/// (below -200 dB).
std::vector<float> recorded_response(const std::vector<float>& samples, double rate_hz, double wet_db);

}  // namespace amae
