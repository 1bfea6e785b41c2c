#include "data/cache.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "tests/data/cache_folder.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

CacheOptions kept_in(const std::string& mode) {
  CacheOptions options;
  options.mode = mode;
  return options;
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

TEST_CASE_METHOD(CacheFolder, "a damaged entry is computed anew with a warning, and is whole from then on") {
  const std::vector<std::pair<const char*, std::function<void(std::string&)>>> damages = {
      {"a bit of the first row", [](std::string& bytes) { bytes[4096] ^= 1; }},
      {"a bit of the description", [](std::string& bytes) { bytes[bytes.size() - 9] ^= 1; }},
      {"cut off", [](std::string& bytes) { bytes.resize(bytes.size() - 5); }},
      {"empty", [](std::string& bytes) { bytes.clear(); }},
      {"too long", [](std::string& bytes) { bytes += "x"; }},
      {"a header of zeros", [](std::string& bytes) { std::fill_n(bytes.begin(), 4096, '\0'); }},
      {"a header that is a number", [](std::string& bytes) { bytes.replace(0, 4096, "7" + std::string(4095, ' ')); }},
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
    CHECK(contains(text.substr(text.rfind("cache entry")), entry.string()));
    CHECK(contains(text, "; it is computed anew"));
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

TEST_CASE_METHOD(CacheFolder, "an entry that no longer fits and cannot be replaced costs a warning and memory") {
  const auto bad = ramps();
  bad->skips = true;
  bad->on_load = [](int64_t row) {
    if (row == 3) throw InputError("DATA-FILE", "row3", "", "is broken");
  };
  { const auto first = open(bad); }
  fs::permissions(path().parent_path(), fs::perms{0755});
  fs::permissions(path() / "features", fs::perms{0555});
  const OrdinaryUser user;
  const auto cache = open(ramps());  // row 3 can be read by now
  CHECK(cache.kind() == "ram");
  check_rows(cache);
  CHECK(contains(warnings(), "no disk cache"));
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

TEST_CASE_METHOD(CacheFolder,
                 "a cache that cannot be put into place serves its run, with one warning and no file left") {
  const auto data = ramps();
  data->on_load = [&](int64_t row) {
    if (row != 0) return;
    const std::string temporary = entries().at(0).string();  // KEY.f32.tmp-…: something takes the place of KEY.f32
    fs::create_directories(fs::path(temporary.substr(0, temporary.find(".tmp-"))) / "in the way");
  };
  const auto cache = open(data);
  check_rows(cache);
  CHECK(data->loads == kRows);
  CHECK(entries().size() == 1);
  CHECK(fs::is_directory(entries().at(0)));
  const std::string text = warnings();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(contains(text, "cache entry not kept"));
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
