// Worker threads that compute rows: each uses one core, whatever LibTorch's own thread count is, so that a row's
// numbers never depend on how many workers there are.
#pragma once

#include <cstdint>
#include <functional>

namespace amae {

/// Makes LibTorch's operators run on the calling thread alone (not changing any other thread).
void use_one_core_in_this_thread();

/// The same until it goes out of scope. To be destroyed on the thread that made it.
class OneCore {
 public:
  OneCore();
  ~OneCore();
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  int before_;
};

/// Calls work(row) for rows 0..total-1 from `threads` threads. The first failure (of the lowest row among those seen)
/// is rethrown after all threads have stopped; a stop signal throws Stopped. `progress` is called from the calling
/// thread about ten times a second.
void parallel_rows(int64_t total, int threads, const std::function<void(int64_t)>& work,
                   const std::function<void(int64_t done, int64_t total)>& progress = {});

}  // namespace amae
