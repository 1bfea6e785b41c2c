#include "index/store.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/hash.h"
#include "io/npy.h"
#include "tests/base/support.h"
#include "tests/damage.h"
#include "tests/index/stores.h"

using namespace amae;
using namespace amae::index_test;
namespace fs = std::filesystem;

namespace {

/// 40 rows: a file of vectors larger than a page, names with quotes, commas and line breaks.
StoreRows forty_rows(uint64_t seed) {
  at::manual_seed(seed);
  StoreRows rows{at::randn({40, 32})};
  for (int i = 0; i < 40; ++i) {
    rows.ids.push_back(i % 10 == 0 ? "a \"" + std::to_string(i) + "\",\n" : "clip" + std::to_string(i));
    rows.labels.emplace_back(i % 3 == 0 ? "dog" : i % 3 == 1 ? "cat" : "");
    rows.folds.push_back(std::to_string(1 + i % 5));
  }
  return rows;
}

Problem refused_store(const fs::path& folder, EmbeddingStore::Check check = EmbeddingStore::Check::everything) {
  return only_problem([&] { const EmbeddingStore store(folder, check); });
}

const std::vector<const char*> kStoreFiles = {kStoreManifest, kStoreVectors, kStoreItems};

}  // namespace

TEST_CASE("a store gives back its vectors bit by bit, its table and what made it") {
  const StoreRows rows = forty_rows(1);
  EmbeddingMaker maker = maker_of();
  maker.chunk_s = 0.96;
  maker.hop_s = 1.0 / 3;
  maker.timestamps = true;
  const TestStore written(rows, maker);
  const auto store = written.open();
  CHECK(names_in(written.path()) == std::vector<std::string>{kStoreVectors, kStoreItems, kStoreManifest});
  CHECK(store->rows() == 40);
  CHECK(store->dimension() == 32);
  CHECK(store->manifest().maker == maker);
  CHECK(store->manifest().bundle == "/models/m");
  CHECK(store->manifest().bundle_id == "m 0123");
  CHECK(store->vectors().equal(rows.vectors));
  CHECK(store->vectors(7, 5).equal(rows.vectors.narrow(0, 7, 5)));
  CHECK(store->vectors(40, 0).sizes() == at::IntArrayRef({0, 32}));
  const Items& items = store->items();
  REQUIRE(items.rows() == 40);
  CHECK(std::vector<std::string>(items.columns().begin(), items.columns().begin() + 7) == item_columns());
  for (int64_t row = 0; row < 40; ++row) {
    const auto i = static_cast<size_t>(row);
    CHECK(items.cell(row, items.column("id")) == rows.ids[i]);
    CHECK(items.cell(row, items.column("label")) == rows.labels[i]);
    CHECK(items.cell(row, items.column("fold")) == rows.folds[i]);
  }
  CHECK(store->bytes() == fs::file_size(written.file(kStoreVectors)) + fs::file_size(written.file(kStoreItems)));
}

TEST_CASE("rows come in the order that is asked for, and as often") {
  const StoreRows rows = forty_rows(2);
  const auto store = TestStore(rows).open();
  const std::vector<int64_t> order = {39, 0, 1, 2, 1, 17, 16, 15, 15, 3, 4, 0};
  CHECK(store->vectors(order).equal(rows.vectors.index_select(0, at::tensor(order, at::kLong))));
  CHECK(store->vectors(std::vector<int64_t>{}).sizes() == at::IntArrayRef({0, 32}));
  CHECK_THROWS_AS(store->vectors({0, 40}), std::out_of_range);
  CHECK_THROWS_AS(store->vectors({-1}), std::out_of_range);
  CHECK_THROWS_AS(store->vectors(39, 2), std::out_of_range);
  CHECK_THROWS_AS(store->vectors(0, -1), std::out_of_range);
}

TEST_CASE("a store of float16 gives the nearest halves as float32") {
  const StoreRows rows = forty_rows(3);
  const TestStore halves(rows, maker_of("float16")), whole(rows);
  const auto store = halves.open();
  CHECK(store->vectors().scalar_type() == at::kFloat);
  CHECK(store->vectors().equal(rows.vectors.to(at::kHalf).to(at::kFloat)));
  CHECK_FALSE(store->vectors().equal(rows.vectors));
  CHECK(store->vectors({5, 4}).equal(store->vectors(4, 2).flip(0)));
  CHECK(fs::file_size(whole.file(kStoreVectors)) - fs::file_size(halves.file(kStoreVectors)) == 40 * 32 * 2);
}

TEST_CASE("embeddings.npy is a NumPy array whose numbers begin at a multiple of 64 bytes") {
  const StoreRows rows = forty_rows(4);
  for (const std::string type : {"float32", "float16"}) {
    const TestStore store(rows, maker_of(type));
    const at::Tensor array = read_npy(store.file(kStoreVectors));
    CHECK(array.sizes() == at::IntArrayRef({40, 32}));
    CHECK(array.scalar_type() == (type == "float16" ? at::kHalf : at::kFloat));
    CHECK(array.to(at::kFloat).equal(store.open()->vectors()));
    CHECK((fs::file_size(store.file(kStoreVectors)) - array.nbytes()) % 64 == 0);
  }
}

TEST_CASE("the id of a store follows its content and nothing else") {
  const StoreRows rows = forty_rows(5);
  const std::string id = TestStore(rows).open()->id();
  CHECK(TestStore(rows).open()->id() == id);
  StoreRows other = rows;
  other.vectors = rows.vectors.clone();
  other.vectors[39][31] += 1e-3;
  CHECK(TestStore(other).open()->id() != id);
  other = rows;
  other.labels[39] = "wolf";
  CHECK(TestStore(other).open()->id() != id);
  EmbeddingMaker maker = maker_of();
  maker.hop_s = 1;
  CHECK(TestStore(rows, maker).open()->id() != id);
}

TEST_CASE("a look at the manifest alone gives the counts, and no items") {
  const TestStore written(forty_rows(6));
  const EmbeddingStore store(written.path(), EmbeddingStore::Check::manifest);
  CHECK(store.rows() == 40);
  CHECK(store.id() == written.open()->id());
  CHECK_THROWS_AS(store.items(), std::logic_error);
  CHECK_THROWS_AS(store.vectors(0, 1), std::logic_error);  // their place in the file is not known
  {
    const FlippedBit flipped(written.file(kStoreVectors), 2000, 3);  // not looked at
    CHECK_NOTHROW(EmbeddingStore(written.path(), EmbeddingStore::Check::manifest));
    CHECK_THROWS_AS(written.open(), InputError);
  }
  const CutFile cut(written.file(kStoreItems), 100);
  CHECK(refused_store(written.path(), EmbeddingStore::Check::manifest).where == written.file(kStoreItems));
}

TEST_CASE("a store without rows is one") {
  const TestStore written({at::empty({0, 4})});
  const auto store = written.open();
  CHECK(store->rows() == 0);
  CHECK(store->items().rows() == 0);
  CHECK(store->vectors().sizes() == at::IntArrayRef({0, 4}));
}

TEST_CASE("a new store takes the index of the old one along and nothing else") {
  const TestStore store(forty_rows(7));
  write_file(store.file(kStoreIndexFile), "an index");
  write_file(store.file("notes.txt"), "of a user");
  store.write(forty_rows(8));
  CHECK(names_in(store.path()) ==
        std::vector<std::string>{kStoreVectors, kStoreIndexFile, kStoreItems, kStoreManifest});
  CHECK(read_file(store.file(kStoreIndexFile)) == "an index");
  CHECK(store.open()->vectors().equal(forty_rows(8).vectors));
}

TEST_CASE("a writer that lacks rows or is given up leaves the old store as it was") {
  const TestStore store(forty_rows(9));
  const std::string id = store.open()->id();
  {
    EmbeddingWriter writer(store.path(), {maker_of(), "", "", "", 2, 3}, {});
    const std::vector<float> zeros(3);
    writer.add(std::vector<std::string>(7), zeros.data());
    CHECK_THROWS_AS(writer.commit(), std::logic_error);
  }
  CHECK(store.open()->id() == id);
  CHECK(names_in(store.path().parent_path()) == std::vector<std::string>{"store"});
}

TEST_CASE("the first difference of two makers is told with both values") {
  const EmbeddingMaker maker = maker_of();
  CHECK(maker.difference(maker).empty());
  EmbeddingMaker other = maker;
  other.chunk_s = 2.5;
  other.pooling = "mean";
  CHECK(other.difference(maker) == "chunk: got 2.5, expected 0");
  other = maker;
  other.type = "float16";
  CHECK(other.difference(maker) == "type: got float16, expected float32");
  other.weights = std::string(64, 'c');
  CHECK(other.difference(maker) == "weights of the model: got cccccccccccc, expected aaaaaaaaaaaa");
}

TEST_CASE("every flipped bit and cut of a store's files is refused with the file's name") {
  const TestStore store(forty_rows(10));
  for (const char* name : kStoreFiles) {
    INFO(name);
    const auto is_refused = [&] {
      return refuses_file("STORE", store.file(name), [&] { static_cast<void>(store.open()); });
    };
    CHECK(missed_damages(store.file(name), {}, is_refused) == "none");
  }
  CHECK_NOTHROW(store.open());
}

TEST_CASE("a file that is missing, or of another store, is refused with its name") {
  StoreRows others = forty_rows(12);
  others.labels[0] = "cow";  // as long as the word that stands there in the first
  const TestStore one(forty_rows(11)), two(others);
  for (const char* name : {kStoreVectors, kStoreItems}) {
    INFO(name);
    const std::string whole = read_file(one.file(name));
    write_file(one.file(name), read_file(two.file(name)));
    CHECK(refused_store(one.path()).where == one.file(name));
    write_file(one.file(name), whole + "x");
    CHECK(contains(refused_store(one.path()).message, "bytes, expected"));
    fs::remove(one.file(name));
    CHECK(refused_store(one.path()).where == one.file(name));
    write_file(one.file(name), whole);
  }
  CHECK_NOTHROW(one.open());
  write_file(one.file(kStoreManifest), read_file(two.file(kStoreManifest)));
  CHECK(refused_store(one.path()).where == one.file(kStoreVectors));
  fs::remove(one.file(kStoreManifest));
  CHECK_FALSE(is_store(one.path()));
  const Problem problem = refused_store(one.path());
  CHECK(problem.where == one.path());
  CHECK(contains(problem.message, "got no embedding store"));
}

TEST_CASE("a manifest that is whole but tells what the files do not hold is refused") {
  const TestStore store(forty_rows(13));
  const std::string whole = read_file(store.file(kStoreManifest));
  const auto refused_with = [&](const auto& change) {
    auto json = nlohmann::ordered_json::parse(whole);
    change(json);
    json.erase("xxh3");
    json["xxh3"] = xxh3_hex(json.dump(2));
    write_file(store.file(kStoreManifest), json.dump(2) + "\n");
    return refused_store(store.path());
  };
  const auto numbers_of = [](auto& json) { json["rows"] = 32, json["dimension"] = 40; };
  CHECK(refused_with(numbers_of).where == store.file(kStoreVectors));
  CHECK(contains(refused_with(numbers_of).message, "shape (40, 32), expected <f4 of (32, 40)"));
  CHECK(refused_with([](auto& json) { json["maker"]["type"] = "float16"; }).where == store.file(kStoreVectors));
  CHECK(refused_with([](auto& json) { json["format"] = "amae embedding store 2"; }).field == "format");
  CHECK(refused_with([](auto& json) { json.erase("rows"); }).where == store.file(kStoreManifest));
  CHECK(refused_with([](auto& json) { json["rows"] = "forty"; }).where == store.file(kStoreManifest));
}
