#include "amae/plugin.h"

#include "audiomae.h"

namespace {

constexpr const char* kSummary = "masked autoencoder over patches with Macaron blocks (AudioMAE++), or a plain ViT";

void register_plugin(amae::Registrar& registrar) {
  registrar.model<amae::AudioMaeOptions>(
      "audiomae++", kSummary, [](const amae::AudioMaeOptions& options, const amae::ModelContext& context) {
        return std::make_shared<amae::AudioMae>(options, context.input, context.reconstructs);
      });
}

}  // namespace

AMAE_PLUGIN("audiomae", "1.0", kSummary, register_plugin)
