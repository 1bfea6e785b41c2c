#include "amae/plugin.h"

#include "audio_store.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::AudioStoreOptions>(
      "audio_store", "signals in one file, as amae data convert --to store writes them",
      [](const amae::AudioStoreOptions& options) { return std::make_unique<amae::AudioStore>(options); });
}

}  // namespace

AMAE_PLUGIN("audio_store", "1.0", "data sets converted to one file of samples and an index", register_plugin)
