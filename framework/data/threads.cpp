#include "data/threads.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/stop.h"

namespace amae {

void use_one_core_in_this_thread() {
  at::get_num_threads();   // LibTorch copies its global count into this thread at first use: let that happen now
  omp_set_num_threads(1);  // and then narrow this thread alone; at::set_num_threads would change the global count
}

OneCore::OneCore() : before_(at::get_num_threads()) { omp_set_num_threads(1); }
OneCore::~OneCore() { omp_set_num_threads(before_); }

void parallel_rows(int64_t total, int threads, const std::function<void(int64_t)>& work,
                   const std::function<void(int64_t, int64_t)>& progress) {
  std::atomic<int64_t> next{0}, done{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::exception_ptr failure;
  int64_t failed_row = total;
  int running = std::max(1, threads);
  const auto body = [&] {
    use_one_core_in_this_thread();
    for (int64_t row = next++; row < total; row = next++) {
      try {
        throw_if_stopped();
        work(row);
        ++done;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (row < failed_row) failed_row = row, failure = std::current_exception();
        next = total;
      }
    }
    const std::lock_guard lock(mutex);
    --running;
    changed.notify_all();
  };
  std::vector<std::jthread> pool;
  for (int i = std::max(1, threads); i > 0; --i) pool.emplace_back(body);
  {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
      if (progress) progress(done, total);
    }
  }
  pool.clear();
  if (failure) std::rethrow_exception(failure);
  if (progress) progress(total, total);
}

}  // namespace amae
