#include "index/search_index.h"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <limits>
#include <map>

#include "io/safetensors.h"
#include "tests/damage.h"
#include "tests/index/searches.h"
#include "tests/problems.h"

using namespace amae;
using namespace amae::index_test;

namespace {

const std::vector<std::string> kMetrics = {"cosine", "inner_product", "l2"};

/// Rows as a metric compares them; for cosine by hand: centred on the mean of the indexed rows, of length 1.
at::Tensor as_compared(const std::string& metric, const at::Tensor& x, const at::Tensor& indexed) {
  if (metric != "cosine") return x;
  const at::Tensor y = x.to(at::kDouble) - indexed.to(at::kDouble).mean(0);
  return y / y.norm(2, {1}, true);
}

std::vector<int64_t> every_third(int64_t rows) {
  std::vector<int64_t> some;
  for (int64_t row = 1; row < rows; row += 3) some.push_back(row);
  return some;
}

}  // namespace

TEST_CASE("a flat index finds what a plain comparison finds, to the last row, by every metric") {
  const at::Tensor x = scattered(100, 12, 1), queries = scattered(25, 12, 2);
  for (const std::string& metric : kMetrics) {
    INFO(metric);
    const TestStore store({x});
    const SearchIndex index = index_of(store, small_index("flat", metric));
    CHECK(index.rows() == 100);
    CHECK(index.is_exact());
    CHECK(index.more_is_nearer() == (metric != "l2"));
    const at::Tensor prepared = index.prepared(queries, "");
    const Found expected =
        plain_search(metric, as_compared(metric, x, x), as_compared(metric, queries, x), numbers(0, 100));
    CHECK(difference(index.search(prepared, 100), expected, 100) == "none");
    CHECK(difference(index.search(prepared, 1), expected, 1) == "none");
    CHECK(difference(index.exact(prepared, 100), expected, 100) == "none");
    CHECK(index.search(prepared.narrow(0, 0, 0), 3).empty());
  }
}

TEST_CASE("every kind of index is built, opened again and finds a row itself first") {
  const at::Tensor x = unit_rows(scattered(300, 16, 3));  // of length 1: nothing has a larger inner product with a row
  for (const std::string& kind : kKinds) {
    for (const std::string& metric : kMetrics) {
      INFO(kind << " " << metric);
      const TestStore store({x});
      const IndexChange change = build_index(*store.open(), small_index(kind, metric), false);
      CHECK(change.rebuilt);
      CHECK(change.reason == "there was none");
      CHECK(change.added == 300);
      CHECK(change.removed + change.kept == 0);
      const SearchIndex index(store.open());
      CHECK(index.rows() == 300);
      CHECK(index.is_exact() == (kind == "flat"));
      const Found found = index.search(index.prepared(x, ""), 5);
      int64_t itself = 0;
      for (int64_t row = 0; row < 300; ++row) {
        const std::vector<Hit>& hits = found[static_cast<size_t>(row)];
        REQUIRE(hits.size() == 5);
        itself += hits[0].row == row ? 1 : 0;
        CHECK(std::is_sorted(hits.begin(), hits.end(), [&](const Hit& a, const Hit& b) {
          return index.more_is_nearer() ? a.score > b.score : a.score < b.score;
        }));
      }
      CHECK(itself >= (kind == "ivf_pq" ? 30 : 300));  // 4 bytes tell vectors apart only roughly
    }
  }
}

TEST_CASE("with a filter every kind of index finds exactly what a plain comparison finds among those rows") {
  const at::Tensor x = scattered(300, 16, 4), queries = scattered(10, 16, 5);
  const std::vector<int64_t> among = every_third(300);
  for (const std::string& kind : kKinds) {
    for (const std::string& metric : kMetrics) {
      INFO(kind << " " << metric);
      const TestStore store({x});
      const SearchIndex index = index_of(store, small_index(kind, metric));
      const at::Tensor prepared = index.prepared(queries, "");
      const Found expected = plain_search(metric, as_compared(metric, x, x), as_compared(metric, queries, x), among);
      CHECK(difference(index.search(prepared, 100, &among), expected, 100) == "none");
      CHECK(difference(index.search(prepared, 7, &among), expected, 7) == "none");
      CHECK(difference(index.exact(prepared, 7, &among), expected, 7) == "none");
      const std::vector<int64_t> one = {299};
      CHECK(index.search(prepared, 1, &one)[9].at(0).row == 299);
    }
  }
}

TEST_CASE("with PCA rows and queries are compared as post-processing gives them") {
  const at::Tensor x = scattered(120, 16, 6), queries = scattered(8, 16, 7);
  for (const bool whiten : {false, true}) {
    const PostOptions options{.pca = 5, .whiten = whiten};
    const TestStore store({x});
    const SearchIndex index = index_of(store, small_index("flat", "cosine", options));
    const PostProcess post = PostProcess::fit(options, x);
    CHECK(index.description().at("width") == 5);
    CHECK(index.description().at("post") == post.text());
    CHECK(index.prepared(queries, "").equal(post(queries)));
    const Found expected = plain_search("cosine", post(x), post(queries), numbers(0, 120));
    CHECK(difference(index.search(index.prepared(queries, ""), 120), expected, 120) == "none");
  }
}

TEST_CASE("FAISS from Python finds the same rows with the same scores") {
  const TensorDict known = read_safetensors(AMAE_TEST_DATA "/faiss.safetensors");
  const at::Tensor gallery = known.at("gallery"), queries = known.at("queries");
  const TestStore store({gallery});
  const PostOptions as_they_are{.centre = false, .pca = 0};
  for (const auto& [name, metric] :
       std::map<std::string, std::string>{{"ip", "inner_product"}, {"l2", "l2"}, {"cosine", "cosine"}}) {
    INFO(name);
    const SearchIndex index = index_of(store, small_index("flat", metric, as_they_are));
    const Found found = index.search(index.prepared(queries, ""), 10);
    const at::Tensor ids = known.at("ids_" + name), scores = known.at("scores_" + name);
    REQUIRE(std::ssize(found) == ids.size(0));
    for (int64_t q = 0; q < ids.size(0); ++q) {
      for (int64_t i = 0; i < 10; ++i) {
        const Hit& hit = found[static_cast<size_t>(q)].at(static_cast<size_t>(i));
        const auto score = scores[q][i].item<float>();  // of l2 squared
        CHECK(hit.row == ids[q][i].item<int64_t>());
        CHECK(std::abs(hit.score - (name == "l2" ? std::sqrt(score) : score)) <= 1e-5F * std::abs(score));
      }
    }
  }
}

TEST_CASE("more neighbours than there are, or none, are refused at -k") {
  const TestStore store({scattered(300, 16, 8)});
  const std::vector<int64_t> among = {3, 5, 8}, none;
  for (const std::string& kind : kKinds) {
    INFO(kind);
    const SearchIndex index = index_of(store, small_index(kind));
    const at::Tensor prepared = index.prepared(scattered(2, 16, 9), "");
    const auto refused = [&](int64_t k, const std::vector<int64_t>* rows) {
      return only_problem([&] { static_cast<void>(index.search(prepared, k, rows)); });
    };
    for (const Problem& problem :
         {refused(301, nullptr), refused(0, nullptr), refused(-1, nullptr), refused(4, &among), refused(1, &none)}) {
      CHECK(problem.code == "QUERY");
      CHECK(problem.field == "-k");
    }
    CHECK(contains(refused(301, nullptr).message, "got 301, expected 1 to 300"));
    CHECK(contains(refused(4, &among).message, "got 4, expected 1 to 3, the number of rows that fulfil --where"));
  }
}

TEST_CASE("queries that are not finite or of another width are refused with their row") {
  const TestStore store({scattered(20, 4, 10)});
  const SearchIndex index = index_of(store, {});
  const auto refused = [&](const at::Tensor& queries) {
    Problem problem = only_problem([&] { static_cast<void>(index.prepared(queries, "clip.wav")); });
    CHECK(problem.code == "QUERY");
    CHECK(problem.where == "clip.wav");
    return problem;
  };
  at::Tensor queries = scattered(5, 4, 11);
  queries[3][1] = std::numeric_limits<float>::quiet_NaN();
  queries[4][0] = std::numeric_limits<float>::infinity();
  CHECK(refused(queries).field == "row 3");
  queries[3][1] = 0;
  CHECK(refused(queries).field == "row 4");
  CHECK(contains(refused(at::zeros({2, 5})).message, "shape (2, 5), expected (2, 4)"));
  CHECK(contains(refused(at::zeros({4})).message, "shape (4)"));
}

TEST_CASE("an empty store, a store without an index and what FAISS cannot make are refused") {
  const auto refused = [](const TestStore& store, const IndexOptions& options) {
    Problem problem = only_problem([&] { build_index(*store.open(), options, false); });
    CHECK(problem.code == "INDEX");
    CHECK_FALSE(std::filesystem::exists(store.file(kStoreIndexFile)));
    return problem;
  };
  const TestStore empty({at::empty({0, 4})}), few({scattered(20, 4, 12)});
  CHECK(refused(empty, {}).where == empty.path());
  CHECK(contains(refused(empty, {}).message, "without rows"));
  CHECK(contains(refused(few, small_index("Sharp7")).message, "\"Sharp7\" of width 4"));
  CHECK_FALSE(contains(refused(few, small_index("Sharp7")).message, ".cpp:"));  // of FAISS, which helps no user
  CHECK(contains(refused(few, small_index("IVF21,Flat")).message, "FAISS cannot train"));
  for (const auto& look : {std::function<void()>([&] { const SearchIndex index(few.open()); }),
                           std::function<void()>([&] { describe_index(few.path()); })}) {
    const Problem problem = only_problem(look);
    CHECK(problem.code == "INDEX");
    CHECK(problem.where == few.file(kStoreIndexFile));
    CHECK(contains(problem.message, "amae index build"));
  }
}

TEST_CASE("an index of another state of its store is refused until it is built again") {
  const TestStore store({scattered(20, 4, 13)});
  build_index(*store.open(), {}, false);
  store.write({scattered(21, 4, 13)});
  const Problem problem = only_problem([&] { const SearchIndex index(store.open()); });
  CHECK(problem.code == "INDEX");
  CHECK(problem.where == store.file(kStoreIndexFile));
  CHECK(contains(problem.message, "20 rows, 21 here"));
  CHECK(index_of(store, {}).rows() == 21);
}
