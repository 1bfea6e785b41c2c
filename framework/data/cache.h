// The cached output of the deterministic front of the pipeline, one row for each dataset row.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "data/pipeline.h"

namespace amae {

struct CacheOptions {
  std::string mode = "auto";        ///< auto | ram | disk | off
  double ram_limit = 4294967296.0;  ///< bytes; auto maps a file above it
  std::string folder;               ///< empty: $AMAE_CACHE, else $XDG_CACHE_HOME/amae, else ~/.cache/amae
  void describe(Fields& f);
};

/// Where rows come from during training: memory, a mapped file, or computed anew each time ("off").
///
/// The key of a disk entry is a hash of the front's key and every row's content hash, never of a time stamp. A file is
/// written beside its name and renamed when whole, and its payload hash is checked when it is opened; a damaged one is
/// computed anew. A folder that cannot be written costs a warning and the cache falls back to memory.
class FeatureCache {
 public:
  using Progress = std::function<void(int64_t done, int64_t total)>;

  /// Computes what is missing with `threads` threads. Throws what Dataset::load throws, the lowest failing row first.
  FeatureCache(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Pipeline> pipeline,
               const CacheOptions& options, int threads, const Progress& progress);
  ~FeatureCache();

  /// Front outputs of rows, stacked [B, ...]; with ids and rate. Thread-safe.
  [[nodiscard]] Batch rows(const std::vector<int64_t>& rows) const;

  /// "ram", "disk" or "off", and the bytes held.
  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] double bytes() const { return bytes_; }
  [[nodiscard]] const Dataset& dataset() const { return *dataset_; }

 private:
  class Mapping;
  void fill(at::Tensor& all, int threads, const Progress& progress) const;

  std::shared_ptr<const Dataset> dataset_;
  std::shared_ptr<const Pipeline> pipeline_;
  std::unique_ptr<Mapping> mapping_;
  at::Tensor all_;  // [rows, ...]
  std::string kind_;
  double bytes_ = 0;
  double rate_hz_ = 0;
};

}  // namespace amae
