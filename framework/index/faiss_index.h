// FAISS behind a wall: its headers, its raw pointers and its exceptions go no further than faiss_index.cpp.
// Dimension letters: N rows, M queries, W width of a vector, K neighbours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/sealed_file.h"

namespace amae {

enum class VectorMetric { inner_product, l2 };  ///< l2: squared Euclidean distance, as FAISS gives it

/// Any FAISS index with row numbers of our own. What FAISS refuses is InputError (code "INDEX").
class FaissIndex {
 public:
  /// `factory` as faiss::index_factory takes it, without an IDMap: "Flat", "HNSW32", "IVF1024,Flat", "IVF1024,PQ32".
  FaissIndex(int64_t width, const std::string& factory, VectorMetric metric);
  ~FaissIndex();
  FaissIndex(FaissIndex&&) noexcept;
  FaissIndex& operator=(FaissIndex&&) noexcept;

  [[nodiscard]] int64_t size() const;
  [[nodiscard]] bool is_trained() const;
  [[nodiscard]] bool is_exact() const;    ///< flat: every vector is compared
  [[nodiscard]] bool can_remove() const;  ///< whether remove() works
  /// How hard a search tries, by name: "ef_search" (HNSW), "probes" (IVF); empty for an exact one.
  [[nodiscard]] std::string effort_name() const;
  void set_effort(int64_t value);
  [[nodiscard]] int64_t most_effort() const;  ///< beyond which nothing changes: lists of an IVF; 65536 for HNSW

  void set_build_effort(int64_t ef_construction);  ///< HNSW alone; before add()
  void train(const float* x, int64_t count);
  void add(const float* x, int64_t count, const std::vector<int64_t>& ids);
  void remove(const std::vector<int64_t>& ids);

  /// queries [M, W] -> scores [M, K] and ids [M, K], best first; -1 where there are fewer. With `allowed`, a bit an id,
  /// only those are looked at; exact indexes alone take it.
  void search(const float* queries, int64_t count, int64_t k, float* scores, int64_t* ids,
              const std::vector<uint8_t>* allowed = nullptr) const;

  using Write = std::function<void(const void*, size_t)>;
  void write(const Write& write) const;
  /// Offset of the vectors within what write() gives, so that they can be placed well; 0 where they are compressed or
  /// in clusters.
  [[nodiscard]] uint64_t offset_of_vectors() const;

  /// From a verified file: mapped where FAISS can (the file must outlive the index, which cannot change), or copied.
  static FaissIndex read(SealedFile& file, uint64_t offset, uint64_t bytes, bool mapped);

 private:
  struct State;
  explicit FaissIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The K best of rows x [N, W] for queries [M, W] by comparing all; scores and ids [M, K] as FaissIndex::search.
void exact_search(VectorMetric metric, int64_t width, const float* queries, int64_t query_count, const float* x,
                  int64_t count, int64_t k, float* scores, int64_t* ids);

}  // namespace amae
