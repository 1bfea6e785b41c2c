#include "amae/plugin.h"

#include "sigmf.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::SigMfOptions>(
      "sigmf", "radio recordings in the SigMF format: .sigmf-meta with .sigmf-data, archives, folders of them",
      [](const amae::SigMfOptions& options) { return std::make_unique<amae::SigMf>(options); });
}

}  // namespace

AMAE_PLUGIN("sigmf", "1.0", "SigMF recordings and archives", register_plugin)
