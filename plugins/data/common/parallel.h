// Looking at many files: the machine waits for the disk less when several threads ask.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "base/stop.h"

namespace amae {

/// Calls work(i) for 0..count-1, in any order. The first exception is rethrown once all threads have stopped; a stop
/// signal throws Stopped. Progress is shown under `label`.
template <class Work>
void for_each_index(size_t count, const char* label, const Work& work) {
  constexpr size_t kWorthAThread = 64;
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto body = [&](Progress* progress) {
    try {
      for (size_t i = next++; i < count; i = next++) {
        throw_if_stopped();
        work(i);
        if (progress != nullptr) progress->update(static_cast<int64_t>(i));
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    Progress progress(label, static_cast<int64_t>(count));
    std::vector<std::jthread> others;
    const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 1 + count / kWorthAThread);
    for (size_t i = 1; i < threads; ++i) others.emplace_back([&] { body(nullptr); });
    body(&progress);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace amae
