#include "amae/plugin.h"

#include "channels.h"
#include "fixed_length.h"
#include "gain.h"
#include "noise.h"
#include "random_view.h"
#include "resample.h"
#include "roll.h"
#include "speed_views.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<ChannelsOptions>("channels", "number of audio channels: mean, first or as they are",
                               [](const ChannelsOptions& o) { return std::make_unique<Channels>(o); });
  r.transform<ResampleOptions>("resample", "audio or IQ to another sampling rate by windowed sinc",
                               [](const ResampleOptions& o) { return std::make_unique<Resample>(o); });
  r.transform<FixedLengthOptions>("fixed_length", "every clip padded or cut to one duration",
                                  [](const FixedLengthOptions& o) { return std::make_unique<FixedLength>(o); });
  r.transform<SpeedViewsOptions>("speed_views", "one clip at several speeds, as channels",
                                 [](const SpeedViewsOptions& o) { return std::make_unique<SpeedViews>(o); });
  r.transform<NoOptions>("random_view", "one channel, drawn in training, the first in evaluation",
                         [](const NoOptions& o) { return std::make_unique<RandomView>(o); });
  r.transform<GainOptions>("gain", "random change of level",
                           [](const GainOptions& o) { return std::make_unique<Gain>(o); });
  r.transform<RollOptions>("roll", "random circular shift in time",
                           [](const RollOptions& o) { return std::make_unique<Roll>(o); });
  r.transform<NoiseOptions>("noise", "white or coloured noise at a random signal-to-noise ratio",
                            [](const NoiseOptions& o) { return std::make_unique<Noise>(o); });
}

}  // namespace

AMAE_PLUGIN("wave", "1.0", "waveforms and IQ: rate, channels, length, level, noise", register_plugin)
