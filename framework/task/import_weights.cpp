#include "task/import_weights.h"

#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <system_error>
#include <utility>

#include "amae/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/safetensors.h"
#include "task/session.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

using Metadata = std::map<std::string, std::string>;

std::string identity_of(const fs::path& from) {
  const fs::path path = named_path(from);
  return sha256_file(fs::is_directory(path) ? bundle_folder(path) / "SHA256SUMS" : path);
}

/// A file that is whole or not there.
void write_whole(const fs::path& out, const TensorDict& tensors, const Metadata& metadata) {
  fs::path temporary = out;
  temporary += fmt::format(".tmp.{}", ::getpid());
  try {
    write_safetensors(temporary, tensors, metadata);
    sync_path(temporary);
    fs::rename(temporary, out);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  sync_path(out.has_parent_path() ? out.parent_path() : fs::path("."));
}

/// Judges the name before any work is lost, and makes its folder.
void prepare_output(const fs::path& out, const std::string& from) {
  const std::string where = printable(out.string());
  std::error_code ignored;
  if (out.extension() != ".safetensors")
    throw InputError("OUTPUT", where, "", "got another ending, expected .safetensors");
  if (fs::equivalent(out, named_path(from), ignored))
    throw InputError("OUTPUT", where, "", "got the input file itself, expected another name");
  if (fs::is_directory(out, ignored))
    throw InputError("OUTPUT", where, "", "got a folder, expected the name of a file");
  if (!out.has_parent_path()) return;
  std::error_code error;
  fs::create_directories(out.parent_path(), error);
  if (error) throw EnvironmentError("OUTPUT", where, "cannot create its folder: " + error.message());
}

}  // namespace

Import import_weights(const Plan& plan, const std::string& from, const fs::path& rules) {
  Import import{from, identity_of(from), rules.string(), plan.config.model.name, {}, {}};
  const WeightRules known = read_weight_rules(rules);
  const TensorDict source = read_weights(from);
  const auto dataset = open_dataset(plan, /*needs_labels=*/false);
  const auto pipeline = make_pipeline(plan, *dataset);
  const bool reconstructs = plan.config.task == "pretrain";
  Classifier model(make_encoder(plan, *pipeline, reconstructs), /*classes=*/0, plan.config.head, model_origin(plan));
  import.transfer = transfer_weights(model, model.encoder(), source, known, from);
  const TensorDict own = tensors_of(model);
  for (const TransferRow& row : import.transfer.rows) {
    if (row.state == TransferRow::State::loaded || row.state == TransferRow::State::resized)
      import.tensors[row.name] = own.at(row.name);
  }
  return import;
}

void check_complete(const Import& import) {
  const Transfer& transfer = import.transfer;
  if (transfer.count(TransferRow::State::missing) + transfer.count(TransferRow::State::misfit) > 0)
    throw CheckFailed(import.from, "got " + transfer.summary() + ", expected every tensor of the model");
}

void write_import(const Import& import, const fs::path& out) {
  prepare_output(out, import.from);
  Metadata metadata = {{"format", "pt"},  // what other readers look for: plain named tensors
                       {"amae.source", import.from},
                       {"amae.source_sha256", import.sha256},
                       {"amae.model", import.model},
                       {"amae.transfer", import.transfer.summary()}};
  if (!import.rules.empty()) {
    metadata["amae.rules"] = import.rules;
    metadata["amae.rules_sha256"] = sha256_file(import.rules);
  }
  write_whole(out, import.tensors, metadata);
}

fs::path default_import_path(const std::string& from) {
  fs::path path = fs::path(from).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "folder/"
  return checkpoints_folder() / (path.stem().string() + ".safetensors");
}

fs::path prepare_import(const std::string& from, const fs::path& out) {
  const fs::path path = out.empty() ? default_import_path(from) : out;
  prepare_output(path, from);
  std::error_code ignored;
  if (out.empty() && fs::exists(path, ignored))
    throw InputError("OUTPUT", printable(path.string()), "",
                     "got a file that exists, expected a new one; pass --out FILE.safetensors to choose its name");
  return path;
}

int64_t export_weights(const std::string& from, const fs::path& rules, const fs::path& out) {
  prepare_output(out, from);
  const TensorDict tensors = renamed(read_weights(from), read_weight_rules(rules), from);
  if (tensors.empty())
    throw InputError("RULES", rules.string(), "", "got rules that drop every tensor, expected some left");
  Metadata metadata = {{"format", "pt"}, {"amae.source", from}, {"amae.source_sha256", identity_of(from)}};
  if (!rules.empty()) metadata["amae.rules"] = rules.string();
  write_whole(out, tensors, metadata);
  return static_cast<int64_t>(tensors.size());
}

}  // namespace amae
