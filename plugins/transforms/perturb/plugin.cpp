#include "amae/plugin.h"

#include "clip.h"
#include "low_pass.h"
#include "pitch_shift.h"
#include "polarity.h"
#include "random_filter.h"
#include "speed.h"
#include "time_stretch.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<SpeedOptions>("speed", "random speed: pitch and tempo together",
                            [](const SpeedOptions& o) { return std::make_unique<Speed>(o); });
  r.transform<TimeStretchOptions>("time_stretch", "random tempo at the same pitch, by a phase vocoder",
                                  [](const TimeStretchOptions& o) { return std::make_unique<TimeStretch>(o); });
  r.transform<PitchShiftOptions>("pitch_shift", "random pitch at the same tempo, by a phase vocoder",
                                 [](const PitchShiftOptions& o) { return std::make_unique<PitchShift>(o); });
  r.transform<RandomFilterOptions>("random_filter", "a random low-pass, high-pass, band-pass or peaking filter",
                                   [](const RandomFilterOptions& o) { return std::make_unique<RandomFilter>(o); });
  r.transform<LowPassOptions>("low_pass", "a steep random low-pass like a codec's, with 8-bit mu-law if wanted",
                              [](const LowPassOptions& o) { return std::make_unique<LowPass>(o); });
  r.transform<PolarityOptions>("polarity", "random change of sign",
                               [](const PolarityOptions& o) { return std::make_unique<Polarity>(o); });
  r.transform<ClipOptions>("clip", "random hard or soft clipping",
                           [](const ClipOptions& o) { return std::make_unique<Clip>(o); });
}

}  // namespace

AMAE_PLUGIN("perturb", "1.0", "augmentation of waveforms: speed, tempo, pitch, filters, clipping", register_plugin)
