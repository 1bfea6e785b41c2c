// Mel scales and triangular filter banks, as torchaudio.functional.melscale_fbanks and Kaldi define them.
//
// htk:    mel = 2595 log10(1 + f/700)                            (Young et al., The HTK Book)
// slaney: mel = f / (200/3) below 1 kHz, 15 + ln(f/1000) / (ln(6.4)/27) above   (Slaney 1998, Auditory Toolbox)
// Kaldi's 1127 ln(1 + f/700) is htk's in another unit, which corners evenly spaced in mel do not depend on.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace amae {

enum class MelScale { htk, slaney };

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

struct MelFilters {
  int64_t n_mels = 0;
  double f_min_hz = 0, f_max_hz = 0;
  MelScale scale = MelScale::htk;
  bool area = false;    ///< divide each by half the width of its base, 2/(f[m+2]-f[m]) (Slaney's norm)
  bool in_mel = false;  ///< sides are straight over mel (Kaldi) instead of over Hz
};

/// Frequency of each triangle's peak [n_mels], in Hz.
std::vector<double> mel_peaks_hz(const MelFilters& filters);

/// Triangles over n_bins frequencies from 0 to rate_hz/2, their corners evenly spaced in mel from f_min_hz to f_max_hz;
/// without `area` the peaks are 1 at the corner frequency. Computed in float64. -> [n_mels, n_bins] float32. Filters
/// narrower than a bin may be all zero.
at::Tensor mel_filters(int64_t n_bins, double rate_hz, const MelFilters& filters);

}  // namespace amae
