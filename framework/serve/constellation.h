// What radio engineers look at first: a frame's spectrogram, its constellation, and how much of it is noise.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "amae/signal.h"

namespace amae::serve {

/// Signal-to-noise ratio in dB of IQ samples [2, N] from their second and fourth moments alone, for signals of constant
/// modulus (PSK, FM) in white noise: M2 = E|x|^2, M4 = E|x|^4, S = sqrt(2 M2^2 - M4), N = M2 - S. Of other modulations
/// it says too little. None where the moments fit no such signal.
/// Source: Pauluzzi, Beaulieu 2000, "A comparison of SNR estimation techniques for the AWGN channel", IEEE Trans.
/// Communications 48(10), section III (M2M4).
std::optional<double> snr_db(const at::Tensor& samples);

/// {"points", "snr_db", "spectrogram"} of IQ.
nlohmann::ordered_json constellation_json(const Signal& signal);

}  // namespace amae::serve
