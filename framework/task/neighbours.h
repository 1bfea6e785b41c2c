// What the neighbours of a store's rows tell: how well like finds like, which labels are doubtful, and a map.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "index/audit.h"
#include "index/postprocess.h"
#include "index/retrieval.h"
#include "index/store.h"

namespace amae {

/// Queries against a gallery: `queries` are the rows that fulfil the conditions, the gallery is all others, less, for
/// each query, the rows of its own item. The post-processing is fitted on the gallery alone. Throws InputError when
/// either is empty, no row has a label, or no query has another row of its label to find.
RetrievalMetrics evaluate_queries(const EmbeddingStore& store, const std::vector<std::string>& queries,
                                  const PostOptions& post, const RetrievalOptions& options);

/// The same with each fold of the store as the queries in turn, by fold. Throws InputError for less than two folds.
std::vector<std::pair<std::string, RetrievalMetrics>> evaluate_folds(const EmbeddingStore& store,
                                                                     const PostOptions& post,
                                                                     const RetrievalOptions& options);

nlohmann::ordered_json retrieval_json(const RetrievalMetrics& metrics);
/// Mean and deviation of each figure over folds.
nlohmann::ordered_json retrieval_means(const std::vector<std::pair<std::string, RetrievalMetrics>>& folds);

/// Labels of rows as class numbers, in order of their first appearance.
struct StoreLabels {
  std::vector<std::string> classes;
  std::vector<int64_t> of_row;  ///< -1: none
};
StoreLabels labels_of(const Items& items, const std::string& column = "label");

Audit audit_store(const EmbeddingStore& store, const PostOptions& post, const AuditOptions& options,
                  const std::function<void(int64_t, int64_t)>& progress);

struct MapOptions {
  std::string method = "umap";  ///< umap or pca
  int64_t neighbours = 15;      ///< umap: of each row
  double min_dist = 0.1;        ///< umap
  uint64_t seed = 0;
};

/// Places [N, 2] of all rows: PCA's first two directions, or UMAP from there over the graph of nearest rows (exact up
/// to 50,000 rows, HNSW beyond).
at::Tensor map_store(const EmbeddingStore& store, const PostOptions& post, const MapOptions& options,
                     const std::function<void(int64_t, int64_t)>& progress);

/// FILE, the path of a map's files without their endings: `file` without .csv or .svg at its end.
std::filesystem::path map_base(const std::filesystem::path& file);

/// FILE.csv (id, x, y and `color`) and FILE.svg, coloured by that column: classes, or a scale where it has more than 20
/// values that are all numbers.
void write_map(const EmbeddingStore& store, const at::Tensor& places, const std::string& color,
               const std::filesystem::path& file, const std::string& title);

}  // namespace amae
