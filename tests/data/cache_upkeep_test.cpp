#include "data/cache_upkeep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "base/file.h"
#include "data/cache_store.h"
#include "tests/base/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr double kDay = 86'400;

/// Entries a, b and c, each named by 32 times its letter, of 1000, 2000 and 3000 numbers' bytes.
class Upkeep {
 public:
  Upkeep() {
    make('a', 1000, 40 * kDay);
    make('b', 2000, 20 * kDay);
    make('c', 3000, 1 * kDay);
  }
  [[nodiscard]] fs::path folder() const { return folder_.path(); }
  [[nodiscard]] fs::path features() const { return folder() / "features"; }
  [[nodiscard]] fs::path path(char letter) const { return cache_entry_path(folder(), std::string(32, letter)); }

  /// Letters of the entries that are there.
  [[nodiscard]] std::string there() const {
    std::string letters;
    for (const CacheFile& file : list_cache(folder())) letters += file.temporary ? '-' : file.key[0];
    return letters;
  }
  void make(char letter, size_t bytes, double unused_s) const {
    const auto entry = CacheEntry::create(path(letter), bytes);
    std::memset(entry->payload(), letter, bytes);
    entry->commit({{"rows", bytes / 4}, {"data", std::string("set ") + letter}});
    age(path(letter), unused_s);
  }
  void age(const fs::path& file, double unused_s) const {
    const struct timespec time[2] = {{std::time(nullptr) - static_cast<std::time_t>(unused_s), 0},
                                     {std::time(nullptr) - static_cast<std::time_t>(unused_s), 0}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), time, 0) == 0);
  }
  [[nodiscard]] std::vector<Removal> collect(const GcLimits& limits, bool dry_run = false) const {
    return collect_garbage(folder(), limits, dry_run);
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Upkeep, "entries are listed with what they hold, the longest unused first") {
  const std::vector<CacheFile> files = list_cache(folder());
  REQUIRE(files.size() == 3);
  CHECK(there() == "abc");
  CHECK(files[1].key == std::string(32, 'b'));
  CHECK(files[1].bytes == fs::file_size(path('b')));
  CHECK(files[1].description.at("data") == "set b");
  CHECK(files[1].problem.empty());
  CHECK_FALSE(files[1].held);
  CHECK_FALSE(files[1].temporary);
  CHECK(list_cache(folder() / "nothing").empty());
}

TEST_CASE_METHOD(Upkeep, "without a limit only what dead writers left goes") {
  write_file(features() / (std::string(32, 'd') + ".f32.tmp-99-00000001"), "half an entry");
  CHECK(there() == "abc-");
  const auto removals = collect({});
  REQUIRE(removals.size() == 1);
  CHECK(removals[0].removed);
  CHECK(contains(removals[0].reason, "died"));
  CHECK(there() == "abc");
}

TEST_CASE_METHOD(Upkeep, "a temporary file that a living process writes stays") {
  const auto being_made = CacheEntry::create(path('d'), 100);
  CHECK(list_cache(folder()).size() == 4);
  CHECK(collect({.older_than_s = 0, .max_bytes = 0}).size() == 3);
  CHECK(there() == "-");
  being_made->commit({});
  CHECK(there() == "d");
}

TEST_CASE_METHOD(Upkeep, "what was unused for longer than the limit goes") {
  CHECK(collect({.older_than_s = 30 * kDay}).size() == 1);
  CHECK(there() == "bc");
  CHECK(collect({.older_than_s = 30 * kDay}).empty());
}

TEST_CASE_METHOD(Upkeep, "the longest unused entries go until the rest is no larger than the limit") {
  const auto size = [&](char letter) { return static_cast<double>(fs::file_size(path(letter))); };
  CHECK(collect({.max_bytes = size('a') + size('b') + size('c')}).empty());
  CHECK(collect({.max_bytes = size('b') + size('c')}).size() == 1);
  CHECK(there() == "bc");
  age(path('b'), 0);
  CHECK(collect({.max_bytes = size('b')}).size() == 1);
  CHECK(there() == "b");
}

TEST_CASE_METHOD(Upkeep, "an entry that somebody holds stays, and counts") {
  std::string problem;
  const auto held = CacheEntry::open(path('a'), problem);
  REQUIRE(held);
  CHECK(list_cache(folder())[0].held);
  CHECK_FALSE(collect({.older_than_s = 30 * kDay}, true)[0].removed);
  const auto removals =
      collect({.older_than_s = 30 * kDay, .max_bytes = static_cast<double>(fs::file_size(path('a')))});
  REQUIRE(removals.size() == 3);
  CHECK_FALSE(removals[0].removed);
  CHECK(there() == "a");
  CHECK(held->payload()[999] == 'a');
}

TEST_CASE_METHOD(Upkeep, "a dry run removes nothing and names what would go") {
  const auto removals = collect({.older_than_s = 10 * kDay}, true);
  REQUIRE(removals.size() == 2);
  CHECK(removals[0].removed);
  CHECK(removals[1].file.key[0] == 'b');
  CHECK(there() == "abc");
}

TEST_CASE_METHOD(Upkeep, "files that are no entries are never touched") {
  const fs::path outside = folder() / "precious";
  write_file(outside, "x");
  const std::string key(32, 'e');
  write_file(features() / "notes.txt", "x");
  write_file(features() / (key + ".f32.txt"), "x");
  write_file(features() / (std::string(32, 'E') + ".f32"), "x");
  write_file(features() / (key.substr(1) + ".f32"), "x");
  fs::create_symlink(outside, features() / (key + ".f32"));
  fs::create_directory(features() / (std::string(32, 'f') + ".f32"));
  CHECK(there() == "abc");
  CHECK(collect({.older_than_s = -1, .max_bytes = 0}).size() == 3);
  CHECK(names_in(features()).size() == 6);
  CHECK(read_file(outside) == "x");
}

TEST_CASE_METHOD(Upkeep, "a damaged entry is found by reading it and can be removed") {
  std::string bytes = read_file(path('b'));
  bytes[5000] ^= 1;
  write_file(path('b'), bytes);
  age(path('b'), 20 * kDay);
  write_file(path('a'), "nothing of the kind");
  age(path('a'), 40 * kDay);
  const std::vector<CacheFile> files = list_cache(folder());
  REQUIRE(files.size() == 3);
  CHECK(files[0].problem == "is cut off");
  CHECK(files[1].problem.empty());  // its description is whole
  CHECK(verify_entry(files[0]) == "is cut off");
  CHECK(verify_entry(files[1]) == "has damaged numbers");
  CHECK(verify_entry(files[2]).empty());
  CHECK(list_cache(folder())[1].last_used == files[1].last_used);  // verifying is no use
  CHECK(remove_unless_held(files[1]));
  CHECK(there() == "ac");
}

}  // namespace
}  // namespace amae
