#include "amae/plugin.h"

#include "synthetic_radio.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::SyntheticRadioOptions>(
      "synthetic_radio", "computed frames of modulated radio (IQ) at given SNRs; needs no files",
      [](const amae::SyntheticRadioOptions& options) { return std::make_unique<amae::SyntheticRadio>(options); });
}

}  // namespace

AMAE_PLUGIN("synthetic_radio", "1.0", "computed radio frames in up to 27 modulations, without files", register_plugin)
