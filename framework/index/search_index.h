// An index over an embedding store, for finding what is near: STORE/index.bin.
//
// A sealed file (io/sealed_file.h): FAISS's bytes, the post-processing and, for each indexed row, which item of the
// store it is. Nothing of it reaches FAISS before its hash has matched.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "index/faiss_index.h"
#include "index/index_options.h"
#include "index/postprocess.h"
#include "index/store.h"

namespace amae {

/// A row of the store and its similarity (cosine, inner_product: more is nearer) or distance (l2, Euclidean).
struct Hit {
  int64_t row = 0;
  float score = 0;
};

struct IndexChange {
  bool rebuilt = false;  ///< everything was indexed anew, `reason` says why
  std::string reason;
  int64_t added = 0, removed = 0, kept = 0;
  double train_s = 0, add_s = 0, write_s = 0;  ///< seconds: training and fitting, adding, writing
};

/// Makes or updates STORE/index.bin. An index that was made with the same options by the same model takes new rows and
/// drops those that are gone, where FAISS can remove and no more than a quarter has changed since all was fitted; its
/// post-processing and clusters stay as they were then. Else, and with `afresh`, everything is indexed anew. Memory is
/// bounded by the index and a training sample. The old file stays until the new one is whole. `progress` gets rows done
/// and all rows. Throws InputError for an empty store and what FAISS refuses.
IndexChange build_index(const EmbeddingStore& store, const IndexOptions& options, bool afresh,
                        const std::function<void(int64_t done, int64_t total)>& progress = {});

/// The options that an index was made with, as its description has them; what plays no part in it is as by default.
IndexOptions options_of_index(const nlohmann::json& description);

/// The description of an index, without a look at its content. Throws InputError (code INDEX).
nlohmann::json describe_index(const std::filesystem::path& folder);

/// Ready to search. Thread-safe but for set_effort().
class SearchIndex {
 public:
  /// Verifies every byte. Throws InputError (code INDEX, where = the file) when there is none, when it is damaged, or
  /// when it is of another state of the store.
  explicit SearchIndex(std::shared_ptr<const EmbeddingStore> store);

  [[nodiscard]] const EmbeddingStore& store() const { return *store_; }
  [[nodiscard]] const nlohmann::json& description() const { return file_->description(); }
  [[nodiscard]] int64_t rows() const { return index_.size(); }
  [[nodiscard]] bool is_exact() const { return index_.is_exact(); }
  [[nodiscard]] bool more_is_nearer() const { return metric_ == VectorMetric::inner_product; }
  [[nodiscard]] const FaissIndex& faiss() const { return index_; }
  void set_effort(int64_t value) { index_.set_effort(value); }

  /// Embeddings [M, D] as they are compared: post-processed. Throws InputError (code QUERY, field "row R") for numbers
  /// that are not finite and for another width.
  [[nodiscard]] at::Tensor prepared(const at::Tensor& embeddings, const std::string& where) const;

  /// The k nearest of each prepared query, best first. With `among` (ascending rows of the store) only those, compared
  /// one by one whatever the type, so that a filter never costs recall. Throws InputError (field "-k") when k is more
  /// than there are.
  [[nodiscard]] std::vector<std::vector<Hit>> search(const at::Tensor& prepared, int64_t k,
                                                     const std::vector<int64_t>* among = nullptr) const;
  /// What the index itself finds, which may be fewer than k where it is not exact; search() compares all rows then.
  /// Exact ones alone take `among`.
  [[nodiscard]] std::vector<std::vector<Hit>> found(const at::Tensor& prepared, int64_t k,
                                                    const std::vector<int64_t>* among = nullptr) const;
  /// The same by comparing all rows of the store, whatever the type.
  [[nodiscard]] std::vector<std::vector<Hit>> exact(const at::Tensor& prepared, int64_t k,
                                                    const std::vector<int64_t>* among = nullptr) const;

 private:
  [[nodiscard]] std::vector<Hit> hits_of(const float* scores, const int64_t* ids, int64_t k, bool are_rows) const;
  void check_k(int64_t k, const std::vector<int64_t>* among) const;

  std::shared_ptr<const EmbeddingStore> store_;
  std::unique_ptr<SealedFile> file_;  // outlives index_, which looks into it
  FaissIndex index_;
  PostProcess post_;
  VectorMetric metric_ = VectorMetric::inner_product;
  // Both empty where ids are rows, as long as nothing was removed: a look into them is a cache miss for each hit.
  std::vector<int64_t> id_of_row_, row_of_id_;  // -1: no such id
};

/// Writes the index anew with another effort ("ef_search" or "probes") as its default. `measured` is the description of
/// the one that it was measured on; throws InputError when another one has taken its place meanwhile.
void keep_effort(const std::filesystem::path& folder, const nlohmann::json& measured, int64_t effort,
                 const nlohmann::json& why);

}  // namespace amae
