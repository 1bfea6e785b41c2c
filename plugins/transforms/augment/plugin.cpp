#include "amae/plugin.h"

#include "band_eq.h"
#include "between_class.h"
#include "energy_crop.h"
#include "mixup.h"
#include "spec_augment.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<EnergyCropOptions>("energy_crop", "random crop in time that holds enough of the clip's energy",
                                 [](const EnergyCropOptions& o) { return std::make_unique<EnergyCrop>(o); });
  r.transform<SpecAugmentOptions>("spec_augment", "blanks random bands of frequency and time",
                                  [](const SpecAugmentOptions& o) { return std::make_unique<SpecAugment>(o); });
  r.transform<BandEqOptions>("band_eq", "random piecewise linear equaliser over the bins",
                             [](const BandEqOptions& o) { return std::make_unique<BandEq>(o); });
  r.transform<MixupOptions>("mixup", "convex combinations of examples and labels",
                            [](const MixupOptions& o) { return std::make_unique<Mixup>(o); });
  r.transform<BetweenClassOptions>("between_class", "mixes examples of different classes at matched levels",
                                   [](const BetweenClassOptions& o) { return std::make_unique<BetweenClass>(o); });
}

}  // namespace

AMAE_PLUGIN("augment", "1.0", "augmentation of spectrograms and mixing of examples", register_plugin)
