// Rows become batches: order, prefetching, random transforms. What a batch holds is a pure function of (seed, epoch,
// number of the batch), so that worker count and resume point change nothing.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "amae/options.h"
#include "data/cache.h"

namespace amae {

/// Order of the training rows in one epoch: a permutation drawn from (seed, epoch).
std::vector<int64_t> epoch_order(const std::vector<int64_t>& rows, uint64_t seed, int64_t epoch);

/// Rows cut into batches; a last batch of one row joins the one before it (batch norm needs two)
/// unless batch_size is 1.
std::vector<std::vector<int64_t>> batches_of(const std::vector<int64_t>& rows, int64_t batch_size);

/// Rows cut into batches of at most `batch_size`, for evaluation: a last batch of one row stays one.
std::vector<std::vector<int64_t>> row_batches(const std::vector<int64_t>& rows, int64_t batch_size);

/// y of rows: [B, K] float32, one-hot for class indices; undefined for datasets without labels.
at::Tensor targets_of(const Dataset& dataset, const std::vector<int64_t>& rows);

/// Prepares batches `first`, first+1, … of a list with worker threads and hands them out in order.
class Loader {
 public:
  using Prepare = std::function<Batch(size_t batch_number)>;  ///< called from the workers

  Loader(size_t first, size_t count, int workers, Prepare prepare);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch, or nothing at the end. Rethrows what its preparation threw.
  std::optional<Batch> next();

 private:
  void work();

  Prepare prepare_;
  size_t next_to_start_, next_to_give_, end_, ahead_;
  std::map<size_t, Batch> ready_;
  std::map<size_t, std::exception_ptr> failed_;
  bool stop_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::jthread> pool_;
};

}  // namespace amae
