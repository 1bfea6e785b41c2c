// What makes an entry of the disk cache, and what never finds an old one.
#include <chrono>

#include "data/cache_store.h"
#include "tests/data/cache_folder.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

TEST_CASE_METHOD(CacheFolder, "a second cache of the same rows loads none of them") {
  { const auto first = open(ramps()); }
  const auto data = ramps();
  const auto second = open(data);
  CHECK(data->loads == 0);
  check_rows(second);
}

TEST_CASE_METHOD(CacheFolder, "changed content, options or number of rows make a new entry beside the old one") {
  { const auto first = open(ramps()); }
  const auto changed = ramps();
  changed->hashes[3] = "1";
  { const auto cache = open(changed); }
  CHECK(changed->loads == kRows);
  CHECK(entries().size() == 2);

  const auto data = ramps();
  {
    const auto cache = open(data, "disk", "[{name: add, value: 0.25}, jitter]");
    CHECK(cache.rows({0}).x.equal(expected({0}) - 0.25));
  }
  CHECK(data->loads == kRows);
  CHECK(entries().size() == 3);

  const auto fewer = ramps(kRows - 1);
  { const auto cache = open(fewer); }
  CHECK(fewer->loads == kRows - 1);
  CHECK(entries().size() == 4);
}

TEST_CASE_METHOD(CacheFolder, "transforms behind the front make no new entry") {
  { const auto first = open(ramps()); }
  const auto data = ramps();
  const auto cache = open(data, "disk", "[{name: add, value: 0.5}, center]");
  CHECK(data->loads == 0);
}

/// Deterministic, of a version that tests choose: x + version.
class Versioned final : public Transform {
 public:
  static inline int64_t current = 1;
  explicit Versioned(const NoOptions& /*options*/) {}
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  void apply(Batch& batch, const Stage& /*stage*/) const override { batch.x = batch.x + current; }
  [[nodiscard]] int64_t version() const override { return current; }
};

TEST_CASE_METHOD(CacheFolder, "a transform whose version was raised never gets numbers of the old one") {
  Registry registry;
  offer<Versioned, NoOptions>(registry, "versioned");
  Component component{"versioned", "", nullptr, std::make_shared<OptionsHolder<NoOptions>>()};
  for (const int64_t version : {1, 2}) {
    Versioned::current = version;
    const auto pipeline = std::make_shared<const Pipeline>(registry, std::vector<Component>{component},
                                                           Spec{Domain::audio, {1, 4}, 8000});
    const FeatureCache cache(ramps(), pipeline, {.mode = "disk", .folder = path().string()}, 1, {});
    CHECK(numbers(cache.rows({0}).x)[0] == static_cast<float>(version));
  }
  CHECK(entries().size() == 2);
}

TEST_CASE_METHOD(CacheFolder, "the age of an entry decides nothing, and use renews it") {
  { const auto first = open(ramps()); }
  fs::last_write_time(entries().at(0), fs::file_time_type::clock::now() - std::chrono::hours(24 * 365));
  const auto old = fs::last_write_time(entries().at(0));
  const auto data = ramps();
  const auto second = open(data);
  CHECK(data->loads == 0);
  CHECK(fs::last_write_time(entries().at(0)) > old);
}

TEST_CASE_METHOD(CacheFolder, "an entry says what it holds and how it was made") {
  const auto pipeline = std::make_shared<const Pipeline>(pipeline_of(kFront));
  const FeatureCache cache(ramps(), pipeline, {.mode = "disk", .folder = path().string()}, 1, {}, "ramps\nof: 4\n");
  std::string problem;
  const auto description = CacheEntry::describe(entries().at(0), problem);
  CHECK(problem.empty());
  CHECK(description.at("data") == "ramps\nof: 4\n");
  CHECK(description.at("transforms") == pipeline->front_key());
  CHECK(description.at("rows") == kRows);
  CHECK(description.at("shape") == std::vector<int64_t>{1, 4});
  CHECK(description.at("rate_hz") == 8000);
}

}  // namespace
}  // namespace amae
