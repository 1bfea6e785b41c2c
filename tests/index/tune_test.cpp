#include "index/tune.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "base/stop.h"
#include "index/index_file.h"
#include "tests/index/searches.h"
#include "tests/problems.h"

using namespace amae;
using namespace amae::index_test;

namespace {

TuneOptions all_rows(double target) {
  TuneOptions options;
  options.target = target;
  options.queries = 1 << 20;
  return options;
}

/// Mean share of the k exact neighbours of every row, itself aside, that a search finds.
double plain_recall(const SearchIndex& index, int64_t k) {
  const at::Tensor queries = index.prepared(index.store().vectors(), "");
  const Found found = index.found(queries, k + 1),
              exact = plain_search("cosine", queries, queries, numbers(0, index.rows()));
  int64_t right = 0;
  for (size_t q = 0; q < found.size(); ++q) {
    std::vector<int64_t> near;
    for (const Hit& hit : exact[q]) {
      if (hit.row != static_cast<int64_t>(q) && std::ssize(near) < k) near.push_back(hit.row);
    }
    int64_t taken = 0;
    for (const Hit& hit : found[q]) {
      if (hit.row == static_cast<int64_t>(q) || taken++ == k) continue;
      right += std::count(near.begin(), near.end(), hit.row);
    }
  }
  return static_cast<double>(right) / static_cast<double>(k * std::ssize(found));
}

}  // namespace

TEST_CASE("tuning raises the effort by powers of two until every neighbour is found") {
  for (const std::string kind : {"IVF20,Flat", "hnsw"}) {
    INFO(kind);
    const TestStore store({scattered(500, 16, 1)});
    SearchIndex index = index_of(store, small_index(kind));
    const Tuned tuned = tune_index(index, all_rows(1));
    REQUIRE(tuned.steps.size() > 1);
    for (size_t i = 0; i < tuned.steps.size(); ++i) {
      const TuneStep& step = tuned.steps[i];
      INFO(step.effort);
      const bool is_most = kind != "hnsw" && i + 1 == tuned.steps.size();
      CHECK(step.effort == (is_most ? std::min<int64_t>(1 << i, 20) : 1 << i));
      CHECK(step.single_ms > 0);
      CHECK(step.batch_ms > 0);
      index.set_effort(step.effort);
      CHECK(std::abs(step.recall - plain_recall(index, 10)) < 1e-9);
    }
    CHECK(tuned.steps.front().recall < 0.9);
    CHECK(tuned.steps.back().recall == 1);
    CHECK(tuned.chosen == std::ssize(tuned.steps) - 1);
  }
}

TEST_CASE("the chosen effort is the least that reaches the target, and none when none does") {
  const TestStore store({scattered(500, 16, 2)});
  SearchIndex index = index_of(store, small_index("IVF20,Flat"));
  const Tuned tuned = tune_index(index, all_rows(0.8));
  REQUIRE(tuned.chosen > 0);
  const auto chosen = static_cast<size_t>(tuned.chosen);
  CHECK(tuned.steps[chosen].recall >= 0.8);
  CHECK(tuned.steps[chosen - 1].recall < 0.8);
  // Four bytes of a vector lose what no number of probes brings back.
  const TestStore rough({scattered(300, 16, 3)});
  SearchIndex coarse = index_of(rough, small_index("ivf_pq"));
  const Tuned never = tune_index(coarse, all_rows(0.99));
  CHECK(never.chosen == -1);
  CHECK(never.steps.back().effort == 4);
}

TEST_CASE("an exact index has nothing to tune and finds everything") {
  const TestStore store({scattered(100, 16, 4)});
  SearchIndex index = index_of(store, small_index("flat"));
  const Tuned tuned = tune_index(index, {});
  REQUIRE(tuned.steps.size() == 1);
  CHECK(tuned.steps[0].effort == 0);
  CHECK(tuned.steps[0].recall == 1);
  CHECK(tuned.chosen == 0);
}

TEST_CASE("a sample of the rows is drawn by its seed") {
  const TestStore store({scattered(500, 16, 5)});
  SearchIndex index = index_of(store, small_index("IVF20,Flat"));
  const auto recall = [&](int64_t seed) {
    TuneOptions options;
    options.queries = 20;
    options.seed = seed;
    return tune_index(index, options).steps.front().recall;
  };
  CHECK(recall(1) == recall(1));
  CHECK(recall(1) != recall(2));
}

TEST_CASE("tuning needs more rows than neighbours and lets a stop signal through") {
  const TestStore store({scattered(10, 4, 6)});
  SearchIndex index = index_of(store, small_index("flat"));
  for (const int64_t k : {int64_t{0}, int64_t{10}, int64_t{11}}) {
    TuneOptions options;
    options.k = k;
    const Problem problem = only_problem([&] { tune_index(index, options); });
    CHECK(problem.code == "QUERY");
    CHECK(problem.field == "-k");
    CHECK(contains(problem.message, "expected 1 to 9"));
  }
  TuneOptions most;
  most.k = 9;
  CHECK(tune_index(index, most).steps[0].recall == 1);
  request_stop(15);
  CHECK_THROWS_AS(tune_index(index, most), Stopped);
  request_stop(0);
}

TEST_CASE("an effort that is kept is the one that the next search has") {
  const at::Tensor queries = scattered(30, 16, 8);
  for (const std::string kind : {"IVF20,Flat", "hnsw"}) {
    INFO(kind);
    const TestStore store({scattered(500, 16, 7)});
    IndexOptions options = small_index(kind);
    options.probes = options.ef_search = 1;
    build_index(*store.open(), options, false);
    const auto found = [&](int64_t effort) {
      SearchIndex index(store.open());
      if (effort > 0) index.set_effort(effort);
      return index.search(index.prepared(queries, ""), 5);
    };
    const Found little = found(0), much = found(16);
    REQUIRE_FALSE(same_bits(little, much));
    CHECK(same_bits(little, found(1)));
    keep_effort(store.path(), SearchIndex(store.open()).description(), 16, {{"recall", 0.99}});
    CHECK(same_bits(found(0), much));
    CHECK(same_bits(found(1), little));
    const nlohmann::json told = describe_index(store.path());
    CHECK(told.at("effort") == 16);
    CHECK(told.at("tuned").at("recall") == 0.99);
    // It stays so until another one is asked for.
    IndexOptions none = options;
    none.probes = none.ef_search = 0;
    CHECK_FALSE(build_index(*store.open(), none, false).rebuilt);
    CHECK(same_bits(found(0), much));
    CHECK_FALSE(build_index(*store.open(), options, false).rebuilt);
    CHECK(same_bits(found(0), little));
  }
}

TEST_CASE("an effort that was measured on an index is not kept in another one") {
  const TestStore store({scattered(100, 16, 7)});
  build_index(*store.open(), small_index("hnsw"), false);
  const nlohmann::json measured = SearchIndex(store.open()).description();
  build_index(*store.open(), small_index("IVF4,Flat"), false);
  const std::string before = read_file(store.file(kStoreIndexFile));
  CHECK(contains(refusal([&] { keep_effort(store.path(), measured, 8, {}); }).message, "replaced meanwhile"));
  CHECK(read_file(store.file(kStoreIndexFile)) == before);
}

TEST_CASE("an effort that the options name is taken once, beyond the number of clusters too") {
  for (const bool is_new : {true, false}) {
    for (const int64_t probes : {2, 9}) {
      INFO(is_new << " " << probes);
      const TestStore store({scattered(100, 16, 9)});
      IndexOptions options = small_index("ivf_flat");
      if (!is_new) build_index(*store.open(), options, false);
      options.probes = probes;
      build_index(*store.open(), options, false);
      CHECK(describe_index(store.path()).at("effort") == std::min<int64_t>(probes, 4));
      const auto written = std::filesystem::last_write_time(store.file(kStoreIndexFile));
      build_index(*store.open(), options, false);
      CHECK(std::filesystem::last_write_time(store.file(kStoreIndexFile)) == written);
    }
  }
}
