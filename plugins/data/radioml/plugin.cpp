#include "amae/plugin.h"

#include "radioml.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::RadioMlOptions>(
      "radioml", "modulations of RML2016.10a and 10b, from their pickle",
      [](const amae::RadioMlOptions& options) { return std::make_unique<amae::RadioMl>(options); });
}

}  // namespace

AMAE_PLUGIN("radioml", "1.0", "RadioML 2016 pickles, read without Python", register_plugin)
