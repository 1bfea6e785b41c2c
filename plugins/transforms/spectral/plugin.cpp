#include "amae/plugin.h"

#include "log.h"
#include "mel_spectrogram.h"
#include "standardize.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<MelSpectrogramOptions>(
      "mel_spectrogram", "audio to mel power, by torchaudio's conventions",
      [](const MelSpectrogramOptions& o) { return std::make_unique<MelSpectrogram>(o); });
  r.transform<LogOptions>("log", "log(x + eps)", [](const LogOptions& o) { return std::make_unique<Log>(o); });
  r.transform<DecibelOptions>("db", "decibels, limited below the item's maximum",
                              [](const DecibelOptions& o) { return std::make_unique<Decibel>(o); });
  r.transform<StandardizeOptions>("standardize", "mean 0 and deviation 1 by statistics of the training split",
                                  [](const StandardizeOptions& o) { return std::make_unique<Standardize>(o); });
}

}  // namespace

AMAE_PLUGIN("spectral", "1.0", "spectrograms: mel, logarithm, standardisation", register_plugin)
