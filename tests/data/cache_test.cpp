#include "data/cache.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "tests/data/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kRows = 7;
const std::string kFront = "[{name: add, value: 0.5}, jitter]";

/// A cache folder of its own, and what was warned about while it was used.
class CacheFolder {
 public:
  CacheFolder() { log::set_level(log::Level::error); }
  ~CacheFolder() { log::set_level(log::Level::info); }

  [[nodiscard]] FeatureCache open(const std::shared_ptr<Ramps>& data, const std::string& mode = "disk",
                                  const std::string& front = kFront, double ram_limit = 1e9) const {
    const auto pipeline = std::make_shared<const Pipeline>(pipeline_of(front));
    return {data, pipeline, {.mode = mode, .ram_limit = ram_limit, .folder = path().string()}, 2, {}};
  }
  [[nodiscard]] fs::path path() const { return folder_.path() / "cache"; }
  [[nodiscard]] std::vector<fs::path> entries() const {
    std::vector<fs::path> paths;
    for (const auto& name : names_in(path() / "features")) paths.push_back(path() / "features" / name);
    return paths;
  }
  [[nodiscard]] std::string warnings() const { return read_file(folder_.path() / "log"); }

 private:
  TemporaryFolder folder_;
  log::File log_{folder_.path() / "log"};
};

CacheOptions kept_in(const std::string& mode) {
  CacheOptions options;
  options.mode = mode;
  return options;
}

std::shared_ptr<Ramps> ramps(int64_t rows = kRows) { return std::make_shared<Ramps>(rows); }

/// Row r with 0.5 added, worked out without a pipeline.
at::Tensor expected(const std::vector<int64_t>& rows) {
  return at::tensor(rows).to(at::kFloat).mul(10).view({-1, 1, 1}) + at::arange(4, at::kFloat) + 0.5;
}

void check_rows(const FeatureCache& cache) {
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}, {5}, {3, 0, 3}}) {
    const Batch batch = cache.rows(rows);
    CHECK(batch.x.equal(expected(rows)));
    CHECK(batch.ids == rows);
    CHECK(batch.rate_hz == 8000);
  }
}

TEST_CASE_METHOD(CacheFolder, "memory, disk and no cache at all give the same rows") {
  for (const std::string mode : {"ram", "disk", "off"}) {
    INFO(mode);
    const auto data = ramps();
    const auto cache = open(data, mode);
    CHECK(cache.kind() == mode);
    CHECK(data->loads == (mode == "off" ? 0 : kRows));
    check_rows(cache);
    CHECK(data->loads == (mode == "off" ? kRows + 1 + 3 : kRows));
    CHECK(cache.bytes() == (mode == "off" ? 0 : kRows * 4 * 4));
  }
  CHECK(warnings().empty());
}

TEST_CASE_METHOD(CacheFolder, "auto takes memory up to the limit and a file above it") {
  CHECK(open(ramps(), "auto", kFront, kRows * 16).kind() == "ram");
  CHECK_FALSE(fs::exists(path()));
  CHECK(open(ramps(), "auto", kFront, kRows * 16 - 1).kind() == "disk");
  CHECK(entries().size() == 1);
}

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

TEST_CASE_METHOD(CacheFolder, "a damaged entry is computed anew with a warning, and is whole from then on") {
  const std::vector<std::pair<const char*, std::function<void(std::string&)>>> damages = {
      {"a bit of the last row", [](std::string& bytes) { bytes.back() ^= 1; }},
      {"cut off", [](std::string& bytes) { bytes.resize(bytes.size() - 5); }},
      {"empty", [](std::string& bytes) { bytes.clear(); }},
      {"too long", [](std::string& bytes) { bytes += "x"; }},
      {"a header of zeros", [](std::string& bytes) { std::fill_n(bytes.begin(), 4096, '\0'); }},
      {"a header that is a number", [](std::string& bytes) { bytes.replace(0, 4096, "7" + std::string(4095, ' ')); }},
      {"a hash that is a number",
       [](std::string& bytes) { bytes.replace(0, 4096, "{\"xxh3\": 7}" + std::string(4085, ' ')); }},
  };
  { const auto first = open(ramps()); }
  const auto entry = entries().at(0);
  const std::string sound = read_file(entry);
  int warned = 0;
  for (const auto& [name, damage] : damages) {
    INFO(name);
    std::string bytes = sound;
    damage(bytes);
    write_file(entry, bytes);
    const auto data = ramps();
    const auto cache = open(data);
    CHECK(cache.kind() == "disk");
    CHECK(data->loads == kRows);
    check_rows(cache);
    CHECK(read_file(entry) == sound);
    CHECK(entries().size() == 1);
    const std::string text = warnings();
    CHECK(std::count(text.begin(), text.end(), '\n') == ++warned);
    CHECK(contains(text, "cache entry " + entry.string() + " is damaged and is computed anew"));
  }
}

TEST_CASE_METHOD(CacheFolder, "a folder that cannot be written costs a warning and memory") {
  fs::create_directories(path());
  fs::permissions(path().parent_path(), fs::perms{0755});
  fs::permissions(path(), fs::perms{0555});
  const OrdinaryUser user;
  const auto cache = open(ramps());
  CHECK(cache.kind() == "ram");
  check_rows(cache);
  CHECK(contains(warnings(), "amae: warning: no disk cache"));
  CHECK(contains(warnings(), path().string()));
}

TEST_CASE_METHOD(CacheFolder, "an entry in a folder that cannot be written is used") {
  { const auto first = open(ramps()); }
  fs::permissions(path().parent_path(), fs::perms{0755});
  fs::permissions(path() / "features", fs::perms{0555});
  const OrdinaryUser user;
  const auto data = ramps();
  const auto cache = open(data);
  CHECK(cache.kind() == "disk");
  CHECK(data->loads == 0);
  check_rows(cache);
}

TEST_CASE_METHOD(CacheFolder, "a file in the folder's place costs a warning and memory") {
  write_file(path(), "");
  const auto cache = open(ramps());
  CHECK(cache.kind() == "ram");
  check_rows(cache);
  CHECK(contains(warnings(), "no disk cache"));
}

TEST_CASE_METHOD(CacheFolder, "two caches that are filled at once do not disturb each other") {
  std::atomic<int> begun{0};
  std::array<std::unique_ptr<FeatureCache>, 2> caches;
  const auto fill = [&](size_t which) {
    const auto data = ramps();
    data->on_load = [&](int64_t row) {
      if (row != 0) return;
      ++begun;
      while (begun < 2) std::this_thread::yield();  // neither is done before the other has begun
    };
    caches[which].reset(new FeatureCache(open(data)));
  };
  {
    const std::jthread other(fill, 1);
    fill(0);
  }
  for (const auto& cache : caches) {
    CHECK(cache->kind() == "disk");
    check_rows(*cache);
  }
  CHECK(warnings().empty());
  CHECK(entries().size() == 1);
  const auto data = ramps();
  const auto third = open(data);
  CHECK(data->loads == 0);
  check_rows(third);
}

TEST_CASE_METHOD(CacheFolder, "of rows that fail, the lowest is named and nothing is left on disk") {
  for (const std::string mode : {"ram", "disk"}) {
    for (int round = 0; round < 20; ++round) {  // threads come in any order
      const auto data = ramps(40);
      data->on_load = [](int64_t row) {
        if (row >= 11 && row % 2 == 1) throw InputError("DATA-FILE", "row" + std::to_string(row), "", "is broken");
      };
      CHECK(refusal([&] { static_cast<void>(open(data, mode)); }).where == "row11");
    }
  }
  CHECK(entries().empty());
}

TEST_CASE_METHOD(CacheFolder, "items of varying size are refused with what would help, unless nothing is cached") {
  const auto pipeline =
      std::make_shared<const Pipeline>(small_registry(), std::vector<Component>{}, Spec{Domain::audio, {1, -1}, 8000});
  CHECK(
      contains(refusal([&] { FeatureCache cache(ramps(), pipeline, kept_in("ram"), 1, {}); }).message, "fixed_length"));
  const FeatureCache cache(ramps(), pipeline, kept_in("off"), 1, {});
  CHECK(cache.rows({2}).x.sizes() == at::IntArrayRef({1, 1, 4}));
}

TEST_CASE_METHOD(CacheFolder, "without a folder in the config the environment names it") {
  const std::string before = std::getenv("AMAE_CACHE") != nullptr ? std::getenv("AMAE_CACHE") : "";
  ::setenv("AMAE_CACHE", path().c_str(), 1);
  {
    const auto pipeline = std::make_shared<const Pipeline>(pipeline_of(kFront));
    const FeatureCache cache(ramps(), pipeline, kept_in("disk"), 1, {});
  }
  before.empty() ? ::unsetenv("AMAE_CACHE") : ::setenv("AMAE_CACHE", before.c_str(), 1);
  CHECK(entries().size() == 1);
}

}  // namespace
}  // namespace amae
