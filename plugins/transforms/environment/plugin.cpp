#include "amae/plugin.h"

#include "background.h"
#include "reverb.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<BackgroundOptions>("background", "mixes in a random piece of a recording from a folder",
                                 [](const BackgroundOptions& o) { return std::make_unique<Background>(o); });
  r.transform<ReverbOptions>("reverb", "reverberation by recorded or synthetic impulse responses",
                             [](const ReverbOptions& o) { return std::make_unique<Reverb>(o); });
}

}  // namespace

AMAE_PLUGIN("environment", "1.0", "waveforms: the place where a sound is heard", register_plugin)
