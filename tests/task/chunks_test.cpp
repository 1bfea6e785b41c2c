#include "task/chunks.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace amae;

namespace {

using Places = std::vector<std::pair<int64_t, int64_t>>;

Places places(int64_t total, int64_t length, int64_t hop) {
  const Chunks chunks(total, length, hop);
  Places result;
  for (int64_t i = 0; i < chunks.count(); ++i) result.emplace_back(chunks[i].begin, chunks[i].begin + chunks[i].frames);
  return result;
}

}  // namespace

TEST_CASE("chunks stand where one would put them by hand") {
  CHECK(places(10, 4, 3) == Places{{0, 4}, {3, 7}, {6, 10}});
  CHECK(places(10, 4, 4) == Places{{0, 4}, {4, 8}, {8, 10}});
  CHECK(places(10, 5, 5) == Places{{0, 5}, {5, 10}});  // none more where they fit exactly
  CHECK(places(10, 4, 2) == Places{{0, 4}, {2, 6}, {4, 8}, {6, 10}});
  CHECK(places(10, 10, 1) == Places{{0, 10}});
  CHECK(places(3, 10, 5) == Places{{0, 3}});
  CHECK(places(11, 10, 10) == Places{{0, 10}, {10, 11}});
  CHECK(places(1, 1, 1) == Places{{0, 1}});
}

TEST_CASE("with gaps between chunks none begins behind the end") {
  CHECK(places(10, 2, 5) == Places{{0, 2}, {5, 7}});
  CHECK(places(11, 2, 5) == Places{{0, 2}, {5, 7}, {10, 11}});
  CHECK(places(7, 2, 100) == Places{{0, 2}});
}

TEST_CASE("chunks cover a recording from its first frame to its last, each from its own place") {
  const int64_t total = GENERATE(1, 2, 7, 12, 24, 25), length = GENERATE(1, 3, 4, 12), hop = GENERATE(1, 2, 3, 4, 12);
  CAPTURE(total, length, hop);
  const Chunks chunks(total, length, hop);
  int64_t covered = 0;
  for (int64_t i = 0; i < chunks.count(); ++i) {
    const Chunk chunk = chunks[i];
    CHECK(chunk.begin == i * hop);
    CHECK(chunk.frames >= 1);
    CHECK((chunk.frames == length || i + 1 == chunks.count()));
    if (hop <= length) CHECK(chunk.begin <= covered);
    CHECK(covered < total);  // no chunk behind the one that reached the end
    covered = chunk.begin + chunk.frames;
    CHECK(covered <= total);
  }
  if (hop <= length) CHECK(covered == total);
}

TEST_CASE("sizes near the largest number do not overflow") {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const Chunks chunks(kMost, kMost - 1, kMost - 1);
  CHECK(chunks.count() == 2);
  CHECK(chunks[1].frames == 1);
}

TEST_CASE("nothing and less are refused") {
  CHECK_THROWS_AS(Chunks(0, 1, 1), std::invalid_argument);
  CHECK_THROWS_AS(Chunks(1, 0, 1), std::invalid_argument);
  CHECK_THROWS_AS(Chunks(1, 1, -1), std::invalid_argument);
}

TEST_CASE("durations become whole frames") {
  CHECK(frames_of(2, 44100) == 88200);
  CHECK(frames_of(0.1, 16000) == 1600);  // 0.1 is no binary number
  CHECK(frames_of(0.1, 11025) == 1103);
  CHECK(frames_of(1e-6, 8000) == 1);
  CHECK(frames_of(1e300, 8000) > 1'000'000'000'000'000);
}
