// Indexes that follow their store.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <tuple>

#include "base/file.h"
#include "tests/index/searches.h"
#include "tests/problems.h"

using namespace amae;
using namespace amae::index_test;

namespace {

/// 130 rows to choose stores from; a change of a quarter is one of 25 in 100.
StoreRows supply(uint64_t seed) { return {scattered(130, 12, seed)}; }

std::vector<int64_t> joined(std::vector<int64_t> a, const std::vector<int64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

IndexChange built(const TestStore& store, const IndexOptions& options) {
  return build_index(*store.open(), options, /*afresh=*/false);
}

/// Everything that an index finds, with scores, must be what an index made anew finds.
void check_as_fresh(const TestStore& store, const StoreRows& rows, const IndexOptions& options) {
  const SearchIndex index(store.open());
  const TestStore fresh_store(rows);
  const SearchIndex fresh = index_of(fresh_store, options);
  const at::Tensor queries = index.prepared(scattered(15, 12, 99), "");
  const auto k = static_cast<size_t>(index.rows());
  REQUIRE(index.rows() == rows.vectors.size(0));
  CHECK(difference(index.search(queries, index.rows()), fresh.search(queries, fresh.rows()), k) == "none");
  const std::vector<int64_t> among = {0, 7, 50, index.rows() - 1};
  CHECK(difference(index.search(queries, 4, &among), fresh.search(queries, 4, &among), 4) == "none");
}

}  // namespace

TEST_CASE("an index takes new rows and drops those that are gone, wherever they stand now") {
  const StoreRows all = supply(1);
  for (const std::string kind : {"flat", "ivf_flat"}) {
    for (const std::string metric : {"inner_product", "l2"}) {
      INFO(kind << " " << metric);
      const IndexOptions options = small_index(kind, metric);
      const TestStore store(all.of(numbers(0, 100)));
      built(store, options);
      // Ten go, at both ends and within; ten come, in front, within and behind.
      const std::vector<int64_t> now = joined(joined(numbers(100, 104), numbers(3, 40)),
                                              joined(joined({104, 105}, numbers(45, 98)), numbers(106, 110)));
      store.write(all.of(now));
      const IndexChange change = built(store, options);
      CHECK_FALSE(change.rebuilt);
      CHECK(change.reason.empty());
      CHECK(change.added == 10);
      CHECK(change.removed == 10);
      CHECK(change.kept == 90);
      check_as_fresh(store, all.of(now), options);
      // And once more, so that numbers of rows and of the index are far apart.
      const std::vector<int64_t> later = joined(numbers(110, 112), std::vector<int64_t>(now.rbegin(), now.rend() - 2));
      store.write(all.of(later));
      CHECK(built(store, options).kept == 98);
      check_as_fresh(store, all.of(later), options);
    }
  }
}

TEST_CASE("an updated index keeps the post-processing that it was fitted with") {
  const StoreRows all = supply(2);
  const IndexOptions options = small_index("flat", "cosine", {.pca = 5, .whiten = true});
  const TestStore store(all.of(numbers(0, 100)));
  built(store, options);
  const PostProcess post = PostProcess::fit(options.post, store.open()->vectors());
  store.write(all.of(numbers(5, 110)));
  CHECK_FALSE(built(store, options).rebuilt);
  const SearchIndex index(store.open());
  const at::Tensor queries = scattered(9, 12, 3);
  CHECK(index.prepared(queries, "").equal(post(queries)));
  const Found expected = plain_search("cosine", post(store.open()->vectors()), post(queries), numbers(0, 105));
  CHECK(difference(index.search(index.prepared(queries, ""), 105), expected, 105) == "none");
}

TEST_CASE("rows in another order or with other labels are the same rows") {
  const StoreRows all = supply(4);
  const TestStore store(all.of(numbers(0, 100)));
  built(store, small_index("hnsw", "l2"));
  StoreRows turned = all.of(joined(numbers(50, 100), numbers(0, 50)));
  turned.labels[3] = "dog";
  store.write(turned);
  const IndexChange change = built(store, small_index("hnsw", "l2"));
  CHECK_FALSE(change.rebuilt);
  CHECK(change.added + change.removed == 0);
  CHECK(change.kept == 100);
  const SearchIndex index(store.open());
  const Found found = index.search(turned.vectors, 1);
  for (size_t row = 0; row < 100; ++row) CHECK(found[row].at(0).row == static_cast<int64_t>(row));
}

TEST_CASE("an item with another content is another row, and equal items are as many as they are") {
  StoreRows rows = supply(5).of(numbers(0, 100));
  const TestStore store(rows);
  built(store, small_index("flat", "l2"));
  rows.contents[40] = "recorded again";
  rows.vectors[40] = 7;
  rows.ids[41] = rows.ids[42];  // the same item twice, with the same vector
  rows.contents[41] = rows.contents[42];
  rows.vectors[41] = rows.vectors[42];
  store.write(rows);
  const IndexChange change = built(store, small_index("flat", "l2"));
  CHECK(change.added == 2);
  CHECK(change.removed == 2);
  const SearchIndex index(store.open());
  CHECK(index.search(at::full({1, 12}, 7.0), 1)[0].at(0).row == 40);
  const std::vector<Hit> twins = index.search(rows.vectors.narrow(0, 42, 1), 2)[0];
  CHECK(std::set<int64_t>{twins[0].row, twins[1].row} == std::set<int64_t>{41, 42});
}

TEST_CASE("an HNSW index takes new rows and is built anew when some are gone") {
  const StoreRows all = supply(6);
  const IndexOptions options = small_index("hnsw", "inner_product");
  const TestStore store(all.of(numbers(0, 100)));
  built(store, options);
  store.write(all.of(joined({101}, numbers(0, 100))));
  const IndexChange added = built(store, options);
  CHECK_FALSE(added.rebuilt);
  CHECK(added.added == 1);
  CHECK(SearchIndex(store.open()).rows() == 101);
  store.write(all.of(numbers(1, 101)));
  const IndexChange removed = built(store, options);
  CHECK(removed.rebuilt);
  CHECK(removed.reason == "its type cannot remove rows");
  CHECK(removed.added == 100);
  const TestStore same(all.of(numbers(1, 101)));
  const at::Tensor queries = scattered(15, 12, 98);
  CHECK(same_bits(SearchIndex(store.open()).search(queries, 10), index_of(same, options).search(queries, 10)));
}

TEST_CASE("an index that FAISS cannot take rows from, though it says so, holds the right ones all the same") {
  const StoreRows all{scattered(330, 16, 12)};
  const IndexOptions options = small_index("IVF4,PQ4x4fsr", "l2");
  const TestStore store(all.of(numbers(0, 300)));
  built(store, options);
  store.write(all.of(numbers(10, 320)));
  CHECK(built(store, options).added >= 20);
  CHECK(SearchIndex(store.open()).rows() == 310);
}

TEST_CASE("more than a quarter of other rows is built anew") {
  const StoreRows all = supply(7);
  const TestStore store(all.of(numbers(0, 100)));
  built(store, small_index("flat"));
  store.write(all.of(numbers(0, 125)));  // 25 of 125
  CHECK_FALSE(built(store, small_index("flat")).rebuilt);
  store.write(all.of(numbers(28, 130)));  // 33 of 102
  const IndexChange change = built(store, small_index("flat"));
  CHECK(change.rebuilt);
  CHECK(contains(change.reason, "more than a quarter"));
  CHECK(change.added == 102);
  CHECK(change.removed == 125);
  CHECK(change.kept == 0);
}

TEST_CASE("small changes count together, until all is built anew") {
  const StoreRows all = supply(7);
  const TestStore store(all.of(numbers(0, 100)));
  built(store, small_index("flat"));
  store.write(all.of(numbers(0, 120)));  // 20 of 120
  CHECK_FALSE(built(store, small_index("flat")).rebuilt);
  store.write(all.of(numbers(0, 130)));  // 30 of 130
  CHECK_FALSE(built(store, small_index("flat")).rebuilt);
  store.write(all.of(numbers(10, 130)));  // 40 of 120
  CHECK(built(store, small_index("flat")).rebuilt);
  store.write(all.of(numbers(10, 120)));  // 10 of 110
  CHECK_FALSE(built(store, small_index("flat")).rebuilt);
}

TEST_CASE("other options or another model are a reason to build anew") {
  const StoreRows rows = supply(8);
  const TestStore store(rows);
  built(store, small_index("hnsw"));
  const auto reason = [&](const IndexOptions& options) { return built(store, options).reason; };
  IndexOptions options = small_index("hnsw");
  CHECK(reason(options).empty());
  options.post.pca = 3;
  CHECK(reason(options) == "its options are others");
  options.links = 9;
  CHECK(reason(options) == "its options are others");
  options.seed = 1;
  CHECK(reason(options) == "its options are others");
  CHECK(reason(small_index("hnsw", "l2")) == "its options are others");
  CHECK(reason(small_index("flat", "l2")) == "its options are others");
  CHECK(reason(small_index("Flat", "l2")) == "its options are others");
  CHECK(reason(small_index("Flat", "l2")).empty());
  for (std::string EmbeddingMaker::*part : {&EmbeddingMaker::weights, &EmbeddingMaker::pipeline}) {
    EmbeddingMaker maker = maker_of();
    maker.*part = std::string(64, 'd');
    store.write(rows, maker);
    CHECK(reason(small_index("Flat", "l2")) == "the old one is of vectors that were made in another way");
  }
}

TEST_CASE("the same items embedded in another way are indexed anew") {
  StoreRows rows = supply(9);
  for (const int part : {0, 1, 2, 3}) {
    INFO(part);
    const TestStore store(rows);
    built(store, small_index("flat", "l2"));
    EmbeddingMaker maker = maker_of();
    if (part == 0) maker.chunk_s = 2;
    if (part == 1) maker.hop_s = 2;
    if (part == 2) maker.pooling = "another";
    if (part == 3) maker.type = "float16";
    rows.vectors = rows.vectors + 1;  // ids and contents stay
    store.write(rows, maker);
    built(store, small_index("flat", "l2"));
    const SearchIndex index(store.open());
    CHECK(index.search(store.open()->vectors(3, 1), 1)[0].at(0).score == 0);
  }
}

TEST_CASE("nothing new leaves the file untouched, a damaged one or a wish for a fresh one does not") {
  const TestStore store(supply(10));
  built(store, small_index("ivf_flat"));
  const auto stamp = [&] {
    struct stat status {};
    REQUIRE(::stat(store.file(kStoreIndexFile).c_str(), &status) == 0);
    return std::tuple(status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  };
  const auto before = stamp();
  const std::string bytes = read_file(store.file(kStoreIndexFile));
  const IndexChange none = built(store, small_index("ivf_flat"));
  CHECK_FALSE(none.rebuilt);
  CHECK(none.kept == 130);
  CHECK(stamp() == before);
  CHECK(read_file(store.file(kStoreIndexFile)) == bytes);
  CHECK(build_index(*store.open(), small_index("ivf_flat"), /*afresh=*/true).reason == "asked for");
  CHECK(stamp() != before);
  CHECK(read_file(store.file(kStoreIndexFile)) == bytes);  // the same rows and seed
  write_file(store.file(kStoreIndexFile), bytes.substr(0, bytes.size() - 1));
  const IndexChange damaged = built(store, small_index("ivf_flat"));
  CHECK(contains(damaged.reason, "the old one is damaged"));
  CHECK(read_file(store.file(kStoreIndexFile)) == bytes);
}

TEST_CASE("progress is told of every row that is added") {
  const StoreRows all = supply(11);
  const TestStore store(all.of(numbers(0, 120)));
  std::vector<std::pair<int64_t, int64_t>> told;
  const auto progress = [&](int64_t done, int64_t total) { told.emplace_back(done, total); };
  build_index(*store.open(), small_index("flat"), false, progress);
  CHECK(told.back() == std::pair<int64_t, int64_t>(120, 120));
  store.write(all);
  build_index(*store.open(), small_index("flat"), false, progress);
  CHECK(told.back() == std::pair<int64_t, int64_t>(10, 10));
}
