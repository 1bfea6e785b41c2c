// What lies in STORE/index.bin; shared by those who write it and those who search it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "index/faiss_index.h"
#include "index/postprocess.h"
#include "io/sealed_file.h"

namespace amae {

inline constexpr const char* kIndexFormat = "amae-index 1";

/// STORE/index.bin, its head judged. Throws InputError (code INDEX).
std::unique_ptr<SealedFile> open_index_file(const std::filesystem::path& folder);

/// Everything but FAISS's own bytes. Row i of the store has the id ids[i] in FAISS and the key keys[i].
struct IndexParts {
  PostProcess post;
  VectorMetric metric = VectorMetric::inner_product;
  std::vector<int64_t> ids;   ///< by row of the store
  std::vector<int64_t> keys;  ///< hash of what the row is: its item, section and content
  int64_t next_id = 0;        ///< ids are below this one
  int64_t effort = 0;         ///< ef_search or probes; 0: as FAISS has it
  uint64_t faiss_offset = 0, faiss_bytes = 0;
};

/// The payload must have been verified. Throws InputError when its pieces do not fit each other.
IndexParts read_index_parts(const SealedFile& file);

/// Writes the file whole or not at all; `told` is what else the description says.
void write_index_file(const std::filesystem::path& folder, const IndexParts& parts, const FaissIndex& index,
                      nlohmann::json told);

}  // namespace amae
