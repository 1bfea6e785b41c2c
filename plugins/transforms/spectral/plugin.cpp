#include "amae/plugin.h"

#include "clip_standardize.h"
#include "linear_spectrogram.h"
#include "log.h"
#include "mel_spectrogram.h"
#include "mfcc.h"
#include "pcen.h"
#include "standardize.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<MelSpectrogramOptions>(
      "mel_spectrogram", "audio to mel power or level, by the conventions of a library or model",
      [](const MelSpectrogramOptions& o) { return std::make_unique<MelSpectrogram>(o); });
  r.transform<LinearSpectrogramOptions>(
      "linear_spectrogram", "audio to the power or magnitude of every Fourier bin",
      [](const LinearSpectrogramOptions& o) { return std::make_unique<LinearSpectrogram>(o); });
  r.transform<LogOptions>("log", "log(x + eps)", [](const LogOptions& o) { return std::make_unique<Log>(o); });
  r.transform<DecibelOptions>("db", "decibels, limited below the item's maximum",
                              [](const DecibelOptions& o) { return std::make_unique<Decibel>(o); });
  r.transform<PcenOptions>("pcen", "a level that adapts to the loudness of each bin",
                           [](const PcenOptions& o) { return std::make_unique<Pcen>(o); });
  r.transform<MfccOptions>("mfcc", "cepstral coefficients of a logarithmic spectrogram",
                           [](const MfccOptions& o) { return std::make_unique<Mfcc>(o); });
  r.transform<StandardizeOptions>("standardize", "mean 0 and deviation 1 by statistics of the training split",
                                  [](const StandardizeOptions& o) { return std::make_unique<Standardize>(o); });
  r.transform<ClipStandardizeOptions>(
      "clip_standardize", "mean 0 and deviation 1 of each clip by itself",
      [](const ClipStandardizeOptions& o) { return std::make_unique<ClipStandardize>(o); });
}

}  // namespace

AMAE_PLUGIN("spectral", "1.2", "spectrograms: mel, linear, level, cepstrum, standardisation", register_plugin)
