#include "amae/plugin.h"

#include "synthetic_sounds.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::SyntheticSoundsOptions>(
      "synthetic_sounds", "ten kinds of computed sounds over noise; needs no files",
      [](const amae::SyntheticSoundsOptions& options) { return std::make_unique<amae::SyntheticSounds>(options); });
}

}  // namespace

AMAE_PLUGIN("synthetic_sounds", "1.0", "computed sounds in ten classes, without files", register_plugin)
