#include "index/index_file.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "tests/damage.h"
#include "tests/index/searches.h"
#include "tests/problems.h"

using namespace amae;
using namespace amae::index_test;

namespace {

struct Neighbours {
  std::vector<float> scores;
  std::vector<int64_t> ids;
  bool operator==(const Neighbours&) const = default;
};

Neighbours neighbours_in(const FaissIndex& index, const at::Tensor& queries, int64_t k) {
  const auto count = static_cast<size_t>(queries.size(0) * k);
  Neighbours found{std::vector<float>(count), std::vector<int64_t>(count)};
  index.search(queries.const_data_ptr<float>(), queries.size(0), k, found.scores.data(), found.ids.data());
  return found;
}

/// Seals the index anew with other words, so that its hashes are right and its words are not.
template <class Change>
Problem refused_with(const TestStore& store, const Change& change) {
  const std::string whole = read_file(store.file(kStoreIndexFile));
  {
    const auto file = open_index_file(store.path());
    std::string payload(file->payload_bytes(), '\0');
    file->read(0, payload.data(), payload.size());
    nlohmann::json told = file->description();
    change(told, payload);
    SealedWriter writer(store.file(kStoreIndexFile), kIndexFormat);
    writer.write(payload.data(), payload.size());
    writer.commit(told);
  }
  Problem problem = only_problem([&] { const SearchIndex index(store.open()); });
  write_file(store.file(kStoreIndexFile), whole);
  return problem;
}

}  // namespace

TEST_CASE("an index that is searched where it lies in the file finds what one in memory finds, bit by bit") {
  const at::Tensor queries = scattered(25, 16, 2);
  for (const std::string& kind : kKinds) {
    INFO(kind);
    const TestStore store({scattered(300, 16, 1)});
    build_index(*store.open(), small_index(kind, "l2"), false);
    const auto file = open_index_file(store.path());
    file->verify();
    const IndexParts parts = read_index_parts(*file);
    FaissIndex mapped = FaissIndex::read(*file, parts.faiss_offset, parts.faiss_bytes, /*mapped=*/true);
    FaissIndex copied = FaissIndex::read(*file, parts.faiss_offset, parts.faiss_bytes, /*mapped=*/false);
    CHECK(parts.effort == (kind == "flat" ? 0 : kind == "hnsw" ? 64 : 4));
    if (parts.effort > 0) mapped.set_effort(parts.effort);
    if (parts.effort > 0) copied.set_effort(parts.effort);
    CHECK(mapped.size() == 300);
    CHECK(copied.size() == 300);
    CHECK(neighbours_in(mapped, queries, 9) == neighbours_in(copied, queries, 9));
    CHECK(neighbours_in(mapped, queries.narrow(0, 4, 1), 300) == neighbours_in(copied, queries.narrow(0, 4, 1), 300));
  }
}

TEST_CASE("vectors lie in the file on a cache line") {
  const TestStore store({scattered(50, 16, 3)});
  const at::Tensor row = store.open()->vectors(0, 1);
  const std::string_view bytes(static_cast<const char*>(row.const_data_ptr()), 64);
  for (const std::string kind : {"flat", "hnsw"}) {
    INFO(kind);
    build_index(*store.open(), small_index(kind, "l2"), false);
    const size_t at = read_file(store.file(kStoreIndexFile)).find(bytes);
    REQUIRE(at != std::string::npos);
    CHECK(at % 64 == 0);
    const nlohmann::json measured = SearchIndex(store.open()).description();
    keep_effort(store.path(), measured, 17, {{"text", "that makes the description longer"}});
    CHECK(read_file(store.file(kStoreIndexFile)).find(bytes) % 64 == 0);
  }
}

TEST_CASE("every flipped bit and cut of an index is refused with its name before FAISS sees it") {
  for (const std::string& kind : kKinds) {
    INFO(kind);
    const TestStore store({scattered(300, 16, 4)});
    build_index(*store.open(), small_index(kind, "cosine", {.pca = 8}), false);
    const auto open = store.open();
    const auto path = store.file(kStoreIndexFile);
    // The first page has the same form for all kinds.
    const DamagePlan plan{.first_bytes = kind == "flat" ? kSealedPage : 0};
    CHECK(missed_damages(path, plan, [&] {
            return refuses_file("INDEX", path, [&] { const SearchIndex index(open); });
          }) == "none");
    CHECK_NOTHROW(SearchIndex(open));
  }
}

TEST_CASE("an index that is sealed but does not fit itself or its store is refused") {
  const TestStore store({scattered(60, 8, 5)});
  build_index(*store.open(), small_index("flat", "cosine", {.pca = 4}), false);
  using nlohmann::json;
  const auto about_file = [&](const auto& change) {
    const Problem problem = refused_with(store, [&](json& told, std::string&) { change(told); });
    return problem.code == "INDEX" && problem.where == store.file(kStoreIndexFile);
  };
  CHECK(about_file([](json& told) { told.erase("tensors"); }));
  CHECK(about_file([](json& told) { told.erase("faiss"); }));
  CHECK(about_file([](json& told) { told["store"] = "another"; }));
  CHECK(about_file([](json& told) { told["next_id"] = 59; }));
  CHECK(about_file([](json& told) { told["next_id"] = "sixty"; }));
  CHECK(about_file([](json& told) { told["faiss"]["offset"] = 1 << 30; }));
  CHECK(about_file([](json& told) { told["faiss"]["bytes"] = 7; }));
  for (const char* name : {"ids", "keys"}) {
    const auto change_tensor = [&](const char* key, const json& value) {
      return about_file([&](json& told) {
        for (json& entry : told["tensors"]) {
          if (entry["name"] == name) entry[key] = value;
        }
      });
    };
    CHECK(change_tensor("shape", {59}));
    CHECK(change_tensor("shape", {-60}));
    CHECK(change_tensor("shape", {int64_t{1} << 62}));
    CHECK(change_tensor("offset", 1 << 30));
    CHECK(change_tensor("type", "Float"));
    CHECK(change_tensor("name", "something else"));
  }
  // FAISS itself says no to what is none of its own.
  const Problem garbage = refused_with(store, [](json& told, std::string& payload) {
    const uint64_t at = told["faiss"]["offset"];
    payload.replace(at, 4, "none");
  });
  CHECK(garbage.code == "INDEX");
  CHECK(contains(garbage.message, "FAISS cannot read the index"));
  CHECK_NOTHROW(SearchIndex(store.open()));
}

TEST_CASE("an index describes itself without a look at its content") {
  const TestStore store({scattered(60, 8, 6)});
  build_index(*store.open(), small_index("ivf_flat", "cosine", {.pca = 4}), false);
  const nlohmann::json told = describe_index(store.path());
  CHECK(told.at("rows") == 60);
  CHECK(told.at("dimension") == 8);
  CHECK(told.at("width") == 4);
  CHECK(told.at("metric") == "cosine");
  CHECK(told.at("factory") == "IVF4,Flat");
  CHECK(told.at("effort_name") == "probes");
  CHECK(told.at("effort") == 4);
  CHECK(told.at("store") == store.open()->id());
  CHECK(told.at("options").at("lists") == 4);
  CHECK_FALSE(told.contains("tensors"));
  const uint64_t bytes = told.at("bytes"), all = std::filesystem::file_size(store.file(kStoreIndexFile));
  CHECK(bytes < all);
  CHECK(bytes > all / 2);
}
