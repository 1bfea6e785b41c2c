#include "data/threads.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "base/stop.h"
#include "tests/base/support.h"

namespace amae {
namespace {

TEST_CASE("every row is worked on exactly once, whatever the number of threads") {
  for (const int threads : {0, 1, 3, 8, 200}) {
    INFO(threads);
    std::vector<std::atomic<int>> counts(100);
    parallel_rows(100, threads, [&](int64_t row) { ++counts[static_cast<size_t>(row)]; });
    for (const auto& count : counts) CHECK(count == 1);
  }
  parallel_rows(0, 2, [](int64_t) { throw 1; });
}

TEST_CASE("of rows that fail, the lowest arrives, and no new row is begun after it") {
  for (int round = 0; round < 50; ++round) {  // threads come in any order
    std::atomic<int> done{0};
    const Problem problem = refusal([&] {
      parallel_rows(100000, 4, [&](int64_t row) {
        if (row >= 20 && row % 3 == 0) throw InputError("DATA-FILE", std::to_string(row), "", "is broken");
        ++done;
      });
    });
    CHECK(problem.where == "21");
    CHECK(done < 100000 / 3);
  }
}

TEST_CASE("a stop signal ends the work before the next row") {
  std::atomic<int> done{0};
  CHECK_THROWS_AS(parallel_rows(100000, 2,
                                [&](int64_t row) {
                                  if (row == 10) request_stop(SIGINT);
                                  ++done;
                                }),
                  Stopped);
  request_stop(0);
  CHECK(done >= 10);
  CHECK(done < 100000);
}

TEST_CASE("the end is told from the calling thread, but not after a failure") {
  const auto caller = std::this_thread::get_id();
  int64_t last = -1;
  const auto progress = [&](int64_t done, int64_t total) {
    CHECK(std::this_thread::get_id() == caller);
    CHECK(total == 10);
    last = done;
  };
  parallel_rows(
      10, 2, [](int64_t) {}, progress);
  CHECK(last == 10);
  last = -1;
  CHECK_THROWS(parallel_rows(
      10, 1, [](int64_t) { throw InputError("X", "", "", "is broken"); }, progress));
  CHECK(last < 10);
}

TEST_CASE("one core in one thread leaves the others as they were") {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  int inside = 0, sibling = 0;
  std::jthread([&] {
    use_one_core_in_this_thread();
    inside = at::get_num_threads();
  }).join();
  std::jthread([&] { sibling = at::get_num_threads(); }).join();
  CHECK(inside == 1);
  CHECK(sibling == 3);
  CHECK(at::get_num_threads() == 3);
  at::set_num_threads(before);
}

}  // namespace
}  // namespace amae
