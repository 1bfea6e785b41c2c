// Embedding into a store: only what is new or has changed is computed, what is gone goes.
#pragma once

#include <filesystem>
#include <memory>

#include "index/store.h"
#include "task/embed.h"

namespace amae {

struct EmbedRequest {
  std::filesystem::path bundle;  ///< folder
  std::filesystem::path store;   ///< folder
  EmbedOptions options;          ///< what is 0 is as in the store, where there is one of the same model
  bool rebuild = false;          ///< a store of another model is replaced instead of refused
  std::string device = "auto";
};

struct EmbedReport {
  int64_t items = 0, rows = 0;                               ///< in the store now
  int64_t computed = 0, kept = 0, resumed = 0, removed = 0;  ///< items: now, from the store, from a run cut short
  int64_t chunks = 0;                                        ///< that the model evaluated
  int64_t dimension = 0;
  double chunk_s = 0, hop_s = 0;
  bool changed = false;           ///< the store was written
  std::vector<Problem> problems;  ///< of items that are not in the store
};

/// Brings the store up to date with the source. Content hashes decide, never times; where nothing has changed the model
/// is not even loaded. Vectors are kept beside the store (STORE.partial) as they come, so a run that was stopped or
/// killed goes on where it was; the store itself is replaced in one rename. Memory is bounded by the list of items.
///
/// Throws InputError (code STORE) when the store was made by another model, front end or other options (unless
/// `rebuild`), when two items have one id, or when nothing at all can be embedded and no store is there; a damaged
/// store is named in a warning and made anew. EnvironmentError (LOCKED) while another process embeds into it. Stopped
/// on a signal.
EmbedReport update_store(const EmbedRequest& request, const EmbedSource& source,
                         const std::vector<std::filesystem::path>& plugin_path);

}  // namespace amae
