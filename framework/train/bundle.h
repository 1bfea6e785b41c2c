// A trained model with all that its use needs: front end, labels, model options, weights and one golden input and
// output.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/pipeline.h"
#include "plugin/registry.h"
#include "train/classifier.h"

namespace amae {

/// What bundle.json says. Files of the folder:
///   bundle.json             this, with options written out
///   model.safetensors       weights and buffers as training left them
///   ema.safetensors         their moving average, where there is one; `weights` names the file to use
///   pipeline.safetensors    what fitted transforms learned
///   golden.safetensors      "signal" [C, N] and the "probabilities" [K] or, without classes, "features" [D] of it
///   trained_on.safetensors  which rows trained it (train/trained_on.h), where that is known
///   SHA256SUMS              of every file, checked before any is read
struct BundleInfo {
  std::string task = "finetune";     ///< that made it
  bool reconstructs = false;         ///< the model was made with ModelContext::reconstructs: it has its decoder
  std::vector<std::string> classes;  ///< empty: an encoder without a head
  bool multi_label = false;
  Spec input;        ///< of the data set: what the pipeline starts from
  Spec model_input;  ///< what reaches the model in training and sized it; empty in a new bundle: the pipeline's
  Component model;
  std::vector<Component> transforms;
  HeadOptions head;
  int64_t views = 1;
  std::string weights = "model.safetensors";
};

/// Writes bundle.json, pipeline.safetensors and golden.safetensors into `folder`; `model` must hold the weights to use.
void write_bundle_files(const std::filesystem::path& folder, const BundleInfo& info, Classifier& model,
                        const Pipeline& pipeline);

/// Writes SHA256SUMS over all other files of `folder`.
void write_checksums(const std::filesystem::path& folder);

/// Throws InputError (code CKPT) naming the first file that is missing, differs from SHA256SUMS or, being
/// of a kind that we read (.json, .safetensors), is not listed there.
void verify_checksums(const std::filesystem::path& folder);

struct Bundle {
  BundleInfo info;
  std::shared_ptr<Classifier> model;   ///< eval mode, on the CPU
  std::shared_ptr<Pipeline> pipeline;  ///< fitted
  std::string id;                      ///< first 12 digits of the SHA-256 of SHA256SUMS
};

/// A component as JSON with every option written out, and back; `source` stands in errors. Options are not resolved
/// yet.
nlohmann::ordered_json component_json(const Component& component);
Component component_from(const nlohmann::ordered_json& json, const std::string& source);

/// What features are a function of, beside the signal.
struct BundleIdentity {
  std::string id;        ///< as Bundle::id
  std::string weights;   ///< SHA-256 of the weights in use
  std::string pipeline;  ///< SHA-256 over front end, its fitted statistics, the model and its options
};

/// Verifies the sums and reads no weights: nothing is computed. Throws InputError (code CKPT).
BundleIdentity bundle_identity(const std::filesystem::path& folder);

/// Loads a bundle folder, verifies its sums and recomputes the golden output. Throws InputError naming file and tensor.
Bundle load_bundle(const std::filesystem::path& folder, const Registry& registry);

/// The same for a bundle that is to name classes. Throws InputError when it is an encoder without a head.
Bundle load_classifier(const std::filesystem::path& folder, const Registry& registry);

/// The bundle's front end over other signals, checked ahead of any arithmetic. Throws InputError (where = `where`) when
/// they do not fit it, or reach the model with other channels, bins or another rate than those it was trained on.
Pipeline front_end_for(const Bundle& bundle, const Registry& registry, const Spec& input, const std::string& where);

/// Copies tensors into a module's parameters and buffers by name. Throws InputError (code CKPT, where = file) listing
/// up to ten missing, unexpected and misshapen names with both shapes; nothing is copied then.
void load_weights(torch::nn::Module& module, const TensorDict& tensors, const std::string& file);

/// Where named bundles are: $AMAE_CHECKPOINTS, else `checkpoints` in the working folder.
std::filesystem::path checkpoints_folder();

/// What RUN means: itself where there is such a path; else checkpoints/NAME, a bundle or a file of weights, of which
/// NAME is the last part (NAME or checkpoints/NAME in a config has become a path beside that config); itself where
/// there is no such thing either.
std::filesystem::path named_path(const std::filesystem::path& run);

/// The folder of the bundle to use for RUN or NAME: itself when it holds bundle.json, else its checkpoints/last. Throws
/// InputError when there is none; a cross-validation is told to name a fold.
std::filesystem::path bundle_folder(const std::filesystem::path& run);

/// Keeps the bundle in `folder` under `target`, without what resuming needs. Replaces an older one only when the new
/// one is whole. Throws InputError when `folder` is damaged.
void keep_bundle(const std::filesystem::path& folder, const std::filesystem::path& target);

}  // namespace amae
