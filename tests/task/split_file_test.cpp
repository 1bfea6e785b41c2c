#include "task/split_file.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "tests/data/columns.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

TEST_CASE("split.csv has a line for each row with its part, and its sum is told") {
  const TemporaryFolder folder;
  const Columns data = radio_rows(2, 1, 4);
  const auto told = keep_split(folder.path(), data, {{0, 3}, {1}, {2, 7}, {4, 6}});
  CHECK(read_file(folder.path() / "split.csv") ==
        "row,id,part\n0,0,train\n1,1,val\n2,2,test\n3,3,train\n4,4,unlabelled\n5,5,unreadable\n6,6,unlabelled\n"
        "7,7,test\n");
  CHECK(told["train"] == 2);
  CHECK(told["val"] == 1);
  CHECK(told["test"] == 2);
  CHECK(told["unlabelled"] == 2);
  CHECK(told["unreadable"] == 1);
  CHECK(told["sha256"] == sha256_file(folder.path() / "split.csv"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a run that goes on keeps its split; another one is refused with the first row that differs") {
  const TemporaryFolder folder;
  const Columns data = radio_rows(2, 1, 2);
  const auto first = keep_split(folder.path(), data, {{0, 1}, {}, {2, 3}});
  CHECK(keep_split(folder.path(), data, {{0, 1}, {}, {2, 3}}) == first);
  const std::string before = read_file(folder.path() / "split.csv");
  const auto problems = problems_of([&] { keep_split(folder.path(), data, {{0, 2}, {}, {1, 3}}); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == "RUN");
  CHECK(contains(problems[0].where, "split.csv"));
  CHECK(problems[0].message == "line 3: got 1,1,test, expected 1,1,train as when this run began; start a new run");
  CHECK(read_file(folder.path() / "split.csv") == before);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a folder that cannot be written is the machine's fault") {
  const Columns data = radio_rows(1, 1, 2);
  CHECK_THROWS_AS(keep_split("/proc/nowhere", data, {{0, 1}, {}, {}}), EnvironmentError);
}
