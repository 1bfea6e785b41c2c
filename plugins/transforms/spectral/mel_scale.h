// Mel scales and triangular filter banks, as torchaudio.functional.melscale_fbanks defines them.
//
// htk:    mel = 2595 log10(1 + f/700)                            (Young et al., The HTK Book)
// slaney: mel = f / (200/3) below 1 kHz, 15 + ln(f/1000) / (ln(6.4)/27) above   (Slaney 1998, Auditory Toolbox)
#pragma once

#include <ATen/ATen.h>

namespace amae {

enum class MelScale { htk, slaney };

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

/// Triangles over n_bins frequencies from 0 to rate_hz/2, their corners evenly spaced in mel from f_min_hz to f_max_hz.
/// `area` divides each by half the width of its base, 2/(f[m+2]-f[m]) (Slaney's norm); without it the peaks are 1 at
/// the corner frequency. Computed in float64. -> [n_mels, n_bins] float32. Filters narrower than a bin may be all zero.
at::Tensor mel_filters(int64_t n_bins, double rate_hz, int64_t n_mels, double f_min_hz, double f_max_hz, MelScale scale,
                       bool area);

}  // namespace amae
