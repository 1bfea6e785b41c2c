#include "amae/plugin.h"

#include "amplitude_phase.h"
#include "cfo.h"
#include "conjugate.h"
#include "constellation.h"
#include "iq_scale.h"
#include "iq_spectrogram.h"
#include "phase_rotation.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<IqScaleOptions>("iq_scale", "IQ frames to unit power, mean magnitude or peak",
                              [](const IqScaleOptions& o) { return std::make_unique<IqScale>(o); });
  r.transform<PhaseRotationOptions>("phase_rotation", "random phase of the carrier",
                                    [](const PhaseRotationOptions& o) { return std::make_unique<PhaseRotation>(o); });
  r.transform<CfoOptions>("cfo", "random carrier frequency offset",
                          [](const CfoOptions& o) { return std::make_unique<Cfo>(o); });
  r.transform<ConjugateOptions>("conjugate", "random mirroring of the spectrum about 0 Hz, off by default",
                                [](const ConjugateOptions& o) { return std::make_unique<Conjugate>(o); });
  r.transform<NoOptions>("amplitude_phase", "IQ to amplitude and phase over time",
                         [](const NoOptions& o) { return std::make_unique<AmplitudePhase>(o); });
  r.transform<IqSpectrogramOptions>("iq_spectrogram", "IQ to the two-sided power of every Fourier bin, in decibels",
                                    [](const IqSpectrogramOptions& o) { return std::make_unique<IqSpectrogram>(o); });
  r.transform<ConstellationOptions>(
      "constellation", "IQ to a picture of its density in the complex plane",
      [](const ConstellationOptions& o) { return std::make_unique<ConstellationImage>(o); });
}

}  // namespace

AMAE_PLUGIN("iq_frames", "1.0", "IQ frames: size, carrier, views as pictures", register_plugin)
