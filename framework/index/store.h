// An embedding store: a folder of vectors with what they are of and what made them.
//
//   embeddings.npy   [rows, D] float32 or float16; numpy.load reads it
//   items.csv        a line for each row: id, path, label, fold, start, end, content, then the data set's columns
//   manifest.json    what made it, and the hashes of both files
//   index.bin        optional: an index over it (search_index.h)
//
// The folder is replaced as a whole, in one rename. Every byte is covered: the manifest has the hashes of the other two
// and one of itself.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "index/items.h"
#include "io/byte_source.h"
#include "io/csv.h"
#include "io/npy_header.h"

namespace amae {

/// What a vector is a function of, beside its item. Vectors may stand in one store only when all of it is equal.
struct EmbeddingMaker {
  std::string weights;           ///< SHA-256 of the bundle's weights
  std::string pipeline;          ///< SHA-256 over front end, model options and fitted statistics
  std::string type = "float32";  ///< of embeddings.npy: float32 or float16
  std::string pooling;           ///< how chunks become a vector, in words
  double chunk_s = 0, hop_s = 0;
  bool timestamps = false;  ///< a row for each chunk

  /// "weights: got 12ab…, expected 34cd…" for the first thing that differs; empty when all is equal.
  [[nodiscard]] std::string difference(const EmbeddingMaker& expected) const;
  bool operator==(const EmbeddingMaker&) const = default;
};

struct StoreManifest {
  EmbeddingMaker maker;
  std::string bundle;     ///< folder of the bundle, absolute
  std::string bundle_id;  ///< as predict and evaluate show it
  std::string data;       ///< YAML of the data set that its rows came from; empty: sound files
  int64_t rows = 0, dimension = 0;
};

inline constexpr const char* kStoreManifest = "manifest.json";
inline constexpr const char* kStoreVectors = "embeddings.npy";
inline constexpr const char* kStoreItems = "items.csv";
inline constexpr const char* kStoreIndexFile = "index.bin";

/// Columns that every items.csv begins with.
const std::vector<std::string>& item_columns();

/// A whole store, open for reading. Thread-safe.
class EmbeddingStore {
 public:
  enum class Check { everything, manifest };  ///< manifest: its own bytes and the others' sizes; for a quick look
  /// Throws InputError (code "STORE", where = the file) for what is missing, cut, damaged or disagrees with the rest.
  explicit EmbeddingStore(std::filesystem::path folder, Check check = Check::everything);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const StoreManifest& manifest() const { return manifest_; }
  [[nodiscard]] int64_t rows() const { return manifest_.rows; }
  [[nodiscard]] int64_t dimension() const { return manifest_.dimension; }
  /// Hash of the manifest: another text for another content.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] uint64_t bytes() const;  ///< of the vectors and the table

  [[nodiscard]] const Items& items() const;
  /// Rows begin..begin + count - 1, [count, D] float32.
  [[nodiscard]] at::Tensor vectors(int64_t begin, int64_t count) const;
  [[nodiscard]] at::Tensor vectors(const std::vector<int64_t>& rows) const;  ///< the same of any rows, in this order
  [[nodiscard]] at::Tensor vectors() const { return vectors(0, rows()); }

 private:
  void check_vectors(const std::string& hash);

  std::filesystem::path folder_;
  StoreManifest manifest_;
  std::string id_;
  std::unique_ptr<OpenFile> vectors_;
  uint64_t vectors_at_ = 0;
  mutable std::optional<Items> items_;
};

/// The id of the item that a row is of: its own, or in a store with a row for each chunk ("FILE#t=2,4") what stands
/// before the section.
std::string item_id(const std::string& row_id, bool timestamps);

/// True when the folder holds a store, whole or not.
bool is_store(const std::filesystem::path& folder);

/// Of a store whose other files may be damaged. Throws InputError (code "STORE") as EmbeddingStore does.
StoreManifest read_manifest(const std::filesystem::path& folder);

/// Makes a store row by row beside its place and puts it there when it is whole; an index that lies in the old one is
/// taken along, and is then one of an older state.
class EmbeddingWriter {
 public:
  /// `manifest.rows` rows will be added. `columns` stand behind item_columns().
  EmbeddingWriter(const std::filesystem::path& folder, StoreManifest manifest, const std::vector<std::string>& columns);
  /// Cells of all columns, vector [D].
  void add(const std::vector<std::string>& cells, const float* vector);
  /// Throws std::logic_error when rows are missing; EnvironmentError when the disk says no.
  void commit();

 private:
  void put(std::ofstream& file, Xxh3& hash, const void* data, size_t count, const char* name);

  std::filesystem::path target_;
  StoreManifest manifest_;
  AtomicFolder folder_;
  std::ofstream vectors_, items_;
  Xxh3 vectors_hash_, items_hash_;
  int64_t rows_ = 0;
};

}  // namespace amae
