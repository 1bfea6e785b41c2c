#include "amae/plugin.h"

#include "resnet.h"

namespace {

constexpr const char* kSummary = "residual network over spectrograms or IQ frames (ResNet-18, -34 and relatives)";

void register_plugin(amae::Registrar& registrar) {
  registrar.model<amae::ResNetOptions>("resnet", kSummary,
                                       [](const amae::ResNetOptions& options, const amae::ModelContext& context) {
                                         return std::make_shared<amae::ResNet>(options, context.input);
                                       });
}

}  // namespace

AMAE_PLUGIN("resnet", "1.1", kSummary, register_plugin)
