#include "data/loader.h"

#include <algorithm>

#include "data/streams.h"
#include "data/threads.h"

namespace amae {

std::vector<int64_t> epoch_order(const std::vector<int64_t>& rows, uint64_t seed, int64_t epoch) {
  Draw draw(seed, static_cast<uint64_t>(epoch), 0, kOrderStream);
  std::vector<int64_t> order;
  order.reserve(rows.size());
  for (const int64_t i : draw.permutation(static_cast<int64_t>(rows.size())))
    order.push_back(rows[static_cast<size_t>(i)]);
  return order;
}

std::vector<std::vector<int64_t>> batches_of(const std::vector<int64_t>& rows, int64_t batch_size) {
  std::vector<std::vector<int64_t>> batches;
  const auto size = static_cast<size_t>(batch_size);
  for (size_t begin = 0; begin < rows.size(); begin += size) {
    const size_t end = std::min(rows.size(), begin + size);
    if (size > 1 && end - begin == 1 && !batches.empty()) {
      batches.back().push_back(rows[begin]);
    } else {
      batches.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                           rows.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  return batches;
}

std::vector<std::vector<int64_t>> row_batches(const std::vector<int64_t>& rows, int64_t batch_size) {
  std::vector<std::vector<int64_t>> batches;
  for (size_t begin = 0; begin < rows.size(); begin += static_cast<size_t>(batch_size)) {
    const size_t end = std::min(rows.size(), begin + static_cast<size_t>(batch_size));
    batches.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                         rows.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return batches;
}

at::Tensor targets_of(const Dataset& dataset, const std::vector<int64_t>& rows) {
  const at::Tensor labels = dataset.labels();
  if (!labels.defined()) return {};
  const at::Tensor chosen = labels.index_select(0, at::tensor(rows));
  if (chosen.dim() == 2) return chosen.to(at::kFloat);
  const auto classes = static_cast<int64_t>(dataset.classes().size());
  return at::zeros({chosen.size(0), classes}).scatter_(1, chosen.unsqueeze(1), 1.0);
}

Loader::Loader(size_t first, size_t count, int workers, Prepare prepare)
    : prepare_(std::move(prepare)),
      next_to_start_(first),
      next_to_give_(first),
      end_(count),
      ahead_(static_cast<size_t>(std::max(1, workers)) + 1) {
  for (int i = std::max(1, workers); i > 0; --i) pool_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

void Loader::work() {
  use_one_core_in_this_thread();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || next_to_start_ >= end_ || next_to_start_ < next_to_give_ + ahead_; });
    if (stop_ || next_to_start_ >= end_) return;
    const size_t number = next_to_start_++;
    lock.unlock();
    Batch batch;
    std::exception_ptr failure;
    try {
      batch = prepare_(number);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) {
      failed_[number] = failure;
    } else {
      ready_[number] = std::move(batch);
    }
    changed_.notify_all();
  }
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(mutex_);
  if (next_to_give_ >= end_) return std::nullopt;
  const size_t number = next_to_give_;
  changed_.wait(lock, [&] { return ready_.count(number) > 0 || failed_.count(number) > 0; });
  if (const auto failure = failed_.find(number); failure != failed_.end()) std::rethrow_exception(failure->second);
  Batch batch = std::move(ready_.at(number));
  ready_.erase(number);
  ++next_to_give_;
  lock.unlock();
  changed_.notify_all();
  return batch;
}

}  // namespace amae
