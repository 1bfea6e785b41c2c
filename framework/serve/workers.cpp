#include "serve/workers.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace amae::serve {

void give_way_to_listening() {
  constexpr int kNice = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);  // on Linux a thread has a priority of its own
}

Workers::Workers(int threads, const std::function<void()>& begin) {
  for (int i = std::max(1, threads); i > 0; --i) {
    threads_.emplace_back([this, begin] {
      begin();
      run();
    });
  }
}

void Workers::finish() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  threads_.clear();
}

void Workers::add(std::function<void()> work) { put(new_, std::move(work)); }
void Workers::add_first(std::function<void()> work) { put(begun_, std::move(work)); }

void Workers::put(std::deque<std::function<void()>>& queue, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (!ends_) {
      queue.push_back(std::move(work));
      work = nullptr;
    }
  }
  if (work) return work();
  changed_.notify_one();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || !begun_.empty() || !new_.empty(); });
    auto& queue = begun_.empty() ? new_ : begun_;
    if (queue.empty()) return;
    auto work = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it holds is given back without the lock
    lock.lock();
  }
}

}  // namespace amae::serve
