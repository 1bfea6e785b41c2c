#include "amae/plugin.h"

#include "radioml_hdf5.h"

namespace {

void register_plugin(amae::Registrar& registrar) {
  registrar.dataset<amae::RadioMlHdf5Options>(
      "radioml_hdf5", "24 modulations of RML2018.01A, from its HDF5 file",
      [](const amae::RadioMlHdf5Options& options) { return std::make_unique<amae::RadioMlHdf5>(options); });
}

}  // namespace

AMAE_PLUGIN("radioml_hdf5", "1.0", "RadioML 2018, read by slices", register_plugin)
