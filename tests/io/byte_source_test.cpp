#include "io/byte_source.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "tests/base/support.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

std::string bytes_at(const ByteSource& source, uint64_t offset, size_t count) {
  std::string bytes(count, '\0');
  source.read(offset, bytes.data(), count);
  return bytes;
}

}  // namespace

TEST_CASE("a stretch of a file is read as if it were one, and never beyond its ends") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "f";
  write_file(path, "0123456789");
  const auto whole = std::make_shared<ReopenedFile>(path, "CODE");
  const Stretch part(whole, 3, 4, "part");
  CHECK(part.size() == 4);
  CHECK(bytes_at(part, 0, 4) == "3456");
  CHECK(bytes_at(part, 4, 0).empty());
  for (const auto& [offset, count] : {std::pair(0, 5), std::pair(4, 1), std::pair(5, 0)}) {
    const Problem problem =
        refusal([&, o = offset, c = count] { bytes_at(part, static_cast<uint64_t>(o), static_cast<size_t>(c)); });
    CHECK(problem.code == "CODE");
    CHECK(problem.field == "part");
    CHECK(contains(problem.message, "truncated file"));
  }
  CHECK_THROWS_AS(bytes_at(part, UINT64_MAX, 2), InputError);
  CHECK_THROWS_AS(Stretch(whole, 8, 3, "part"), InputError);
  CHECK_THROWS_AS(Stretch(whole, UINT64_MAX, 3, "part"), InputError);
  CHECK(part.where() == path.string() + ": part");
}

TEST_CASE("a file that is opened anew for each read is refused once it changed, and holds nothing open") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "f";
  write_file(path, "0123456789");
  const size_t open_before = names_in("/proc/self/fd").size();
  const ReopenedFile file(path, "CODE");
  CHECK(bytes_at(file, 2, 3) == "234");
  CHECK(names_in("/proc/self/fd").size() == open_before);
  write_file(path, "012345678");
  CHECK(contains(refusal([&] { bytes_at(file, 2, 3); }).message, "changed"));
  fs::remove(path);
  CHECK(contains(refusal([&] { bytes_at(file, 2, 3); }).message, "no such file"));
  CHECK_THROWS_AS(ReopenedFile(path, "CODE"), InputError);
}
