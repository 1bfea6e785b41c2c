#include "data/cache_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "tests/base/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

const std::string kKey = "0123456789abcdef0123456789abcdef";
const std::string kNumbers = "twenty-four bytes of it.";

class Store {
 public:
  [[nodiscard]] fs::path path() const { return cache_entry_path(folder_.path(), kKey); }
  [[nodiscard]] std::vector<std::string> names() const { return names_in(path().parent_path()); }

  [[nodiscard]] std::unique_ptr<CacheEntry> filled() const {
    auto entry = CacheEntry::create(path(), kNumbers.size());
    std::memcpy(entry->payload(), kNumbers.data(), kNumbers.size());
    return entry;
  }
  /// "" when the entry is whole, "absent", or what is wrong with it.
  [[nodiscard]] std::string state() const {
    std::string problem;
    const auto entry = CacheEntry::open(path(), problem);
    if (!entry) return problem.empty() ? "absent" : problem;
    CHECK(std::string(entry->payload(), entry->payload_bytes()) == kNumbers);
    return "";
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Store, "a committed entry gives back its numbers and what was said about them") {
  CHECK(state() == "absent");
  {
    const auto entry = filled();
    CHECK(state() == "absent");  // not before it is whole
    entry->commit({{"rows", 3}, {"data", "a \"b\"\n\xff"}});
    CHECK(std::string(entry->payload(), entry->payload_bytes()) == kNumbers);
  }
  CHECK(state().empty());
  std::string problem;
  const auto entry = CacheEntry::open(path(), problem);
  REQUIRE(entry);
  CHECK(entry->description().at("rows") == 3);
  CHECK(entry->description() == CacheEntry::describe(path(), problem));
  CHECK(names() == std::vector<std::string>{kKey + ".f32"});
}

TEST_CASE_METHOD(Store, "equal numbers and words make equal bytes, whenever they were written") {
  filled()->commit({{"rows", 3}});
  const std::string first = read_file(path());
  const struct timespec old[2] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path().c_str(), old, 0) == 0);
  filled()->commit({{"rows", 3}});
  CHECK(read_file(path()) == first);
}

TEST_CASE_METHOD(Store, "every single flipped bit and every other length is found") {
  filled()->commit({{"rows", 3}});
  const std::string whole = read_file(path());
  const int fd = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  size_t missed = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const char bad = static_cast<char>(whole[at] ^ (1 << bit));
      REQUIRE(::pwrite(fd, &bad, 1, static_cast<off_t>(at)) == 1);
      missed += state().empty() || state() == "absent" ? 1 : 0;
    }
    REQUIRE(::pwrite(fd, &whole[at], 1, static_cast<off_t>(at)) == 1);
  }
  CHECK(missed == 0);
  CHECK(state().empty());
  for (size_t size = whole.size() + 1; size-- > 0;) {
    if (size == whole.size()) continue;
    REQUIRE(::ftruncate(fd, static_cast<off_t>(size)) == 0);
    missed += state().empty() || state() == "absent" ? 1 : 0;
  }
  ::close(fd);
  CHECK(missed == 0);
  write_file(path(), whole + "x");
  CHECK(contains(state(), "bytes, expected"));
}

TEST_CASE_METHOD(Store, "an entry that is not committed leaves no file") {
  { const auto entry = filled(); }
  CHECK(names().empty());
}

TEST_CASE_METHOD(Store, "when the last rename fails, no file is left and the numbers can still be used") {
  const auto entry = filled();
  fs::create_directories(path() / "in the way");
  const Problem problem = refusal<EnvironmentError>([&] { entry->commit({{"rows", 3}}); });
  CHECK(problem.where == path().string());
  CHECK(contains(problem.message, "cannot rename to"));
  CHECK(names() == std::vector<std::string>{kKey + ".f32"});
  CHECK(std::string(entry->payload(), entry->payload_bytes()) == kNumbers);
  CHECK(state() == "is not a regular file");
}

TEST_CASE_METHOD(Store, "a writer that is killed leaves a temporary file that is never taken for an entry") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto entry = filled();
    static_cast<void>(::write(ready[1], "x", 1));
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(state() == "absent");
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(names().size() == 1);
  CHECK(contains(names()[0], kKey + ".f32.tmp-"));
  CHECK(state() == "absent");
  filled()->commit({{"rows", 3}});
  CHECK(state().empty());
}

TEST_CASE_METHOD(Store, "two writers of one entry do not meet, and the last one stands") {
  const auto first = filled(), second = filled();
  CHECK(names().size() == 2);
  second->commit({{"rows", 2}});
  first->commit({{"rows", 1}});
  CHECK(std::string(second->payload(), second->payload_bytes()) == kNumbers);
  std::string problem;
  CHECK(CacheEntry::describe(path(), problem).at("rows") == 1);
  CHECK(names() == std::vector<std::string>{kKey + ".f32"});
}

TEST_CASE_METHOD(Store, "use is noted by the file's time, and looking at the description is no use") {
  filled()->commit({{"rows", 3}});
  const struct timespec old[2] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path().c_str(), old, 0) == 0);
  struct stat status {};
  std::string problem;
  const auto entry = CacheEntry::open(path(), problem);
  CacheEntry::describe(path(), problem);
  REQUIRE(::stat(path().c_str(), &status) == 0);
  CHECK(status.st_mtime == 1'000'000);
  entry->mark_used();
  REQUIRE(::stat(path().c_str(), &status) == 0);
  CHECK(status.st_mtime > 1'000'000);
}

TEST_CASE_METHOD(Store, "a link in an entry's place is not followed") {
  filled()->commit({{"rows", 3}});
  fs::rename(path(), path().string() + ".elsewhere");
  fs::create_symlink(path().string() + ".elsewhere", path());
  std::string problem;
  CHECK_THROWS_AS(CacheEntry::open(path(), problem), EnvironmentError);
}

}  // namespace
}  // namespace amae
