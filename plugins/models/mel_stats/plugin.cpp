#include "amae/plugin.h"

#include "mel_stats.h"

namespace {

constexpr const char* kSummary = "mean and deviation over time of each bin: the baseline without parameters";

void register_plugin(amae::Registrar& registrar) {
  registrar.model<amae::NoOptions>("mel_stats", kSummary,
                                   [](const amae::NoOptions& /*options*/, const amae::ModelContext& context) {
                                     return std::make_shared<amae::MelStats>(context.input);
                                   });
}

}  // namespace

AMAE_PLUGIN("mel_stats", "1.0", kSummary, register_plugin)
