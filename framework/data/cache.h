// The cached output of the deterministic front of the pipeline, one row for each dataset row.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "data/bad_rows.h"
#include "data/pipeline.h"

namespace amae {

class CacheEntry;

struct CacheOptions {
  std::string mode = "auto";        ///< auto | ram | disk | off
  double ram_limit = 4294967296.0;  ///< bytes; auto maps a file above it
  std::string folder;               ///< empty: $AMAE_CACHE, else $XDG_CACHE_HOME/amae, else ~/.cache/amae
  void describe(Fields& f);
};

/// Where rows come from during training: memory, a mapped file, or computed anew each time ("off").
///
/// The key of a disk entry is a hash of the front's key, LibTorch's version and every row's content hash, never of a
/// time stamp. A file is written beside its name and renamed when whole, and all of it is checked when it is opened; a
/// damaged one is computed anew. A disk that says no costs a warning, and the cache falls back to memory.
class FeatureCache {
 public:
  using Progress = std::function<void(int64_t done, int64_t total)>;

  /// Computes what is missing with `threads` threads. Throws what load_row() throws, the lowest failing row first.
  /// `data_text` says which data this is; it is kept in a disk entry, for people. `origin`: of the data set.
  FeatureCache(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Pipeline> pipeline,
               const CacheOptions& options, int threads, const Progress& progress, const std::string& data_text = "",
               Origin origin = {.kind = "dataset"});
  ~FeatureCache();

  /// Front outputs of rows, stacked [B, ...]; with ids and rate. Thread-safe.
  [[nodiscard]] Batch rows(const std::vector<int64_t>& rows) const;

  /// "ram", "disk" or "off", and the bytes held.
  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] double bytes() const { return bytes_; }
  [[nodiscard]] const Dataset& dataset() const { return *dataset_; }

  /// Rows that cannot be loaded, of a data set that skips them; rows() must not be asked for these. With "off" every
  /// row is loaded once beforehand to find them.
  [[nodiscard]] const BadRows& bad_rows() const { return bad_rows_; }

 private:
  bool load(int64_t row, Signal& signal);  ///< false: a bad row, which was noted
  void find_bad_rows(int threads, const Progress& progress);
  bool has_same_bad_rows(const nlohmann::json& description);
  [[nodiscard]] std::vector<int64_t> bad_row_numbers() const;
  void fill(at::Tensor& all, int threads, const Progress& progress);

  std::shared_ptr<const Dataset> dataset_;
  Origin origin_;  // of the data set
  std::shared_ptr<const Pipeline> pipeline_;
  std::unique_ptr<CacheEntry> entry_;
  at::Tensor all_;  // [rows, ...]; in the entry's memory where there is one
  std::string kind_;
  double bytes_ = 0;
  double rate_hz_ = 0;
  BadRows bad_rows_;
  std::mutex bad_rows_mutex_;  // guards bad_rows_ while threads load
};

}  // namespace amae
