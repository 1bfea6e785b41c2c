// Weights of other projects into our names, and ours into theirs. Both ways end in one safetensors file.
#pragma once

#include <filesystem>
#include <string>

#include "task/run_config.h"
#include "train/weights.h"

namespace amae {

/// What came of an import, before anything is written.
struct Import {
  std::string from;    ///< as given
  std::string sha256;  ///< of the file; of a bundle its SHA256SUMS
  std::string rules;   ///< path; empty without
  std::string model;   ///< key of the config's model
  Transfer transfer;
  TensorDict tensors;  ///< ours, those that were loaded or resized: what is missing stays to be initialised
};

/// Makes the config's encoder, for task: pretrain with what reconstruct() needs so that a decoder's weights find their
/// place, and puts in what fits. The data set is opened only for the shape of its signals. Throws InputError when
/// nothing fits.
Import import_weights(const Plan& plan, const std::string& from, const std::filesystem::path& rules);

/// What --strict asks for. Throws CheckFailed naming missing and misfit tensors.
void check_complete(const Import& import);

/// Writes a file that init_from takes, with its origin as metadata ("amae.source", "amae.source_sha256", …).
void write_import(const Import& import, const std::filesystem::path& out);

/// checkpoints/STEM.safetensors for a FILE or folder of that stem.
std::filesystem::path default_import_path(const std::string& from);

/// Where the import of FROM will go: `out`, or the default path when that is empty. To be called before the work:
/// throws InputError when nothing can be written there or a file stands at the default path; makes the folder.
std::filesystem::path prepare_import(const std::string& from, const std::filesystem::path& out);

/// Writes the weights that a run, bundle or file holds (a run's averaged ones where it has them), with names turned by
/// `rules`; those that a rule drops are left out. Returns their number.
int64_t export_weights(const std::string& from, const std::filesystem::path& rules, const std::filesystem::path& out);

}  // namespace amae
