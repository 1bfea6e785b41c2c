#include "amae/plugin.h"

#include "iq_npy.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::IqNpyOptions>(
      "iq_npy", "IQ frames in NumPy arrays (.npy, .npz) with a CSV table of labels",
      [](const amae::IqNpyOptions& options) { return std::make_unique<amae::IqNpy>(options); });
}

}  // namespace

AMAE_PLUGIN("iq_npy", "1.0", "IQ frames in NumPy arrays", register_plugin)
