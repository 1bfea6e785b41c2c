#include "amae/plugin.h"

#include "band_eq.h"
#include "between_class.h"
#include "crop.h"
#include "cutmix.h"
#include "energy_crop.h"
#include "mixup.h"
#include "random_erasing.h"
#include "spec_augment.h"
#include "warp.h"

namespace {

void register_plugin(amae::Registrar& r) {
  using namespace amae;
  r.transform<CropOptions>("crop", "random crop in time",
                           [](const CropOptions& o) { return std::make_unique<Crop>(o); });
  r.transform<EnergyCropOptions>("energy_crop", "random crop in time that holds enough of the clip's energy",
                                 [](const EnergyCropOptions& o) { return std::make_unique<EnergyCrop>(o); });
  r.transform<SpecAugmentOptions>("spec_augment", "blanks random bands of frequency and time",
                                  [](const SpecAugmentOptions& o) { return std::make_unique<SpecAugment>(o); });
  r.transform<BandEqOptions>("band_eq", "random piecewise linear equaliser over the bins",
                             [](const BandEqOptions& o) { return std::make_unique<BandEq>(o); });
  r.transform<WarpOptions>("warp", "bends time and frequency piecewise linearly",
                           [](const WarpOptions& o) { return std::make_unique<Warp>(o); });
  r.transform<RandomErasingOptions>("random_erasing", "blanks random rectangles",
                                    [](const RandomErasingOptions& o) { return std::make_unique<RandomErasing>(o); });
  r.transform<MixupOptions>("mixup", "convex combinations of examples and labels",
                            [](const MixupOptions& o) { return std::make_unique<Mixup>(o); });
  r.transform<BetweenClassOptions>("between_class", "mixes examples of different classes at matched levels",
                                   [](const BetweenClassOptions& o) { return std::make_unique<BetweenClass>(o); });
  r.transform<CutmixOptions>("cutmix", "patches from other examples, labels by their area",
                             [](const CutmixOptions& o) { return std::make_unique<Cutmix>(o); });
}

}  // namespace

AMAE_PLUGIN("augment", "1.1", "augmentation of spectrograms and mixing of examples", register_plugin)
