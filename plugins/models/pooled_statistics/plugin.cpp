#include "amae/plugin.h"

#include "pooled_statistics.h"

namespace {

constexpr const char* kSummary = "mean and deviation over time of each bin: the baseline without parameters";

void register_plugin(amae::Registrar& registrar) {
  registrar.model<amae::NoOptions>("pooled_statistics", kSummary,
                                   [](const amae::NoOptions& /*options*/, const amae::ModelContext& context) {
                                     return std::make_shared<amae::PooledStatistics>(context.input);
                                   });
}

}  // namespace

AMAE_PLUGIN("pooled_statistics", "1.0", kSummary, register_plugin)
