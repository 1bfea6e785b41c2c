#include "amae/plugin.h"

#include "esc50.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::Esc50Options>(
      "esc50", "environmental sounds in the ESC-50 layout: audio/ and meta/esc50.csv",
      [](const amae::Esc50Options& options) { return std::make_unique<amae::Esc50>(options); });
}

}  // namespace

AMAE_PLUGIN("esc50", "1.0", "ESC-50 and ESC-10 environmental sounds", register_plugin)
