#include "amae/plugin.h"

#include "signal_store.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::SignalStoreOptions>(
      "signal_store", "sound or IQ in one file, as amae data convert --to store writes it",
      [](const amae::SignalStoreOptions& options) { return std::make_unique<amae::SignalStore>(options); });
}

}  // namespace

AMAE_PLUGIN("signal_store", "1.0", "data sets converted to one file of samples and an index", register_plugin)
