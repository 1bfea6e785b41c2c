// Maps of a store, and the files that they become.
#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "index/umap.h"
#include "io/csv.h"
#include "task/neighbours.h"
#include "tests/index/stores.h"
#include "tests/problems.h"

using namespace amae;
using amae::index_test::StoreRows;
using amae::index_test::TestStore;
namespace fs = std::filesystem;

namespace {

/// Two clouds far apart: even rows and odd ones.
StoreRows two_clouds(int64_t count) {
  at::manual_seed(1);
  StoreRows rows{at::randn({count, 6})};
  for (int64_t row = 0; row < count; ++row) {
    if (row % 2 == 1) rows.vectors[row] += 20;
    rows.ids.push_back(row == 3 ? "a <b>, \"c\"" : "clip " + std::to_string(row));
    rows.labels.emplace_back(row == 5 ? "" : row % 2 == 0 ? "dog" : "cat");
    rows.folds.push_back(std::to_string(row));
  }
  return rows;
}

MapOptions map_by(const std::string& method, uint64_t seed = 0) {
  MapOptions options;
  options.method = method;
  options.neighbours = 8;
  options.seed = seed;
  return options;
}

const PostOptions kAsTheyAre{.centre = false, .pca = 0, .whiten = false, .l2 = false};

}  // namespace

TEST_CASE("maps by PCA and by UMAP are finite, repeat themselves and keep clouds apart") {
  const TestStore store(two_clouds(60));
  for (const std::string method : {"pca", "umap"}) {
    INFO(method);
    const at::Tensor places = map_store(*store.open(), kAsTheyAre, map_by(method), {});
    REQUIRE(places.sizes() == at::IntArrayRef({60, 2}));
    CHECK(places.isfinite().all().item<bool>());
    CHECK(places.equal(map_store(*store.open(), kAsTheyAre, map_by(method), {})));
    CHECK(places.equal(map_store(*store.open(), kAsTheyAre, map_by(method, 1), {})) == (method == "pca"));
    // Every row is nearer to all of its cloud than to any of the other.
    const at::Tensor apart = at::cdist(places, places),
                     same = (at::arange(60).remainder(2).unsqueeze(0) == at::arange(60).remainder(2).unsqueeze(1));
    const at::Tensor farthest = apart.masked_fill(~same, 0).amax(1), nearest = apart.masked_fill(same, 1e9).amin(1);
    CHECK((farthest < nearest).all().item<bool>());
    CHECK(trustworthiness(store.open()->vectors(), places, 8) > 0.8);
  }
  CHECK(map_store(*store.open(), kAsTheyAre, map_by("pca"), {}).equal(pca_2d(store.open()->vectors())));
}

TEST_CASE("a map tells its progress, and stores of a few equal rows have one too") {
  int64_t last = 0;
  const TestStore store(two_clouds(20));
  map_store(*store.open(), {}, map_by("umap"), [&](int64_t done, int64_t total) { last = done == total ? total : -1; });
  CHECK(last > 0);
  for (const int64_t count : {1, 2, 3, 12}) {
    INFO(count);
    const TestStore same({at::ones({count, 4})});
    for (const std::string method : {"pca", "umap"}) {
      INFO(method);
      const at::Tensor places = map_store(*same.open(), {}, map_by(method), {});
      CHECK(places.sizes() == at::IntArrayRef({count, 2}));
      CHECK(places.isfinite().all().item<bool>());
    }
  }
}

TEST_CASE("a written map names every row in its table and in its picture") {
  const StoreRows rows = two_clouds(30);
  const TestStore store(rows);
  const TemporaryFolder folder;
  const at::Tensor places = at::stack({at::linspace(-1, 1, 30), at::linspace(3, 1e-3, 30)}, 1);
  write_map(*store.open(), places, "label", folder.path() / "map", "Two clouds");
  CsvReader table(folder.path() / "map.csv");
  CHECK(table.header() == std::vector<std::string>{"id", "x", "y", "label"});
  for (int64_t row = 0; row < 30; ++row) {
    REQUIRE(table.next());
    const auto i = static_cast<size_t>(row);
    CHECK(table.cells()[0] == rows.ids[i]);
    CHECK(std::stof(std::string(table.cells()[1])) == places[row][0].item<float>());
    CHECK(std::stof(std::string(table.cells()[2])) == places[row][1].item<float>());
    CHECK(table.cells()[3] == rows.labels[i]);
  }
  CHECK_FALSE(table.next());
  const std::string svg = read_file(folder.path() / "map.svg");
  CHECK(contains(svg, "Two clouds"));
  for (const char* word : {"clip 0: dog", "clip 29: cat", "(none)", "a &lt;b&gt;"}) {
    INFO(word);
    CHECK(contains(svg, word));
  }
  for (size_t i = 0; i < 30; ++i) CHECK((i == 3 || contains(svg, "<title>" + rows.ids[i] + ": ")));
}

TEST_CASE("a column of many numbers colours a map by a scale, one of few by groups") {
  const TestStore store(two_clouds(30));
  const TemporaryFolder folder;
  const auto svg_by = [&](const std::string& color, int64_t count) {
    const TestStore some(two_clouds(count));
    write_map(*some.open(), at::rand({count, 2}), color, folder.path() / "map.svg", "");
    CHECK(fs::exists(folder.path() / "map.csv"));
    return read_file(folder.path() / "map.svg");
  };
  // A picture with a scale names the column beside it; one of groups names each value in its legend.
  const auto has_legend = [](const std::string& svg, const std::string& word) {
    return contains(svg, ">" + word + "</");
  };
  CHECK(has_legend(svg_by("fold", 30), "fold"));
  CHECK_FALSE(has_legend(svg_by("fold", 20), "fold"));
  CHECK(has_legend(svg_by("fold", 20), "17"));
  CHECK(has_legend(svg_by("label", 30), "dog"));
}

TEST_CASE("a map by an unknown column is refused, and nothing is written") {
  const TestStore store(two_clouds(10));
  const TemporaryFolder folder;
  const Problem problem = only_problem([&] {
    write_map(*store.open(), at::zeros({10, 2}), "lable", folder.path() / "map", "");
  });
  CHECK(problem.code == "COLUMN");
  CHECK(problem.field == "--color");
  CHECK(contains(problem.message, "did you mean label?"));
  CHECK(fs::is_empty(folder.path()));
}
