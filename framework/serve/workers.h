// Threads that prepare requests and finish answers, one core each. (no LibTorch)
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace amae::serve {

/// Lowers the calling thread's priority a little: where all cores compute, who comes is still heard at once.
void give_way_to_listening();

/// Work must not throw.
class Workers {
 public:
  /// `begin` is called first on every thread.
  Workers(int threads, const std::function<void()>& begin);
  ~Workers() { finish(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Does what is queued, then ends the threads. What is added later is done by who adds it.
  void finish();

  /// New work waits behind all other.
  void add(std::function<void()> work);
  /// Work that finishes what was begun goes first: it gives memory back, and someone has waited for long.
  void add_first(std::function<void()> work);

 private:
  void put(std::deque<std::function<void()>>& queue, std::function<void()> work);
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> begun_, new_;
  bool ends_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace amae::serve
