#include "train/trained_on.h"

#include <algorithm>

#include "base/hash.h"
#include "io/safetensors.h"
#include "training.h"

using namespace amae;

TEST_CASE("a row's mark is the beginning of the SHA-256 of its content hash, whatever its number") {
  const Points points(55);  // the content hash of row r is r as text
  const RowMarks marks = marks_of(points, {7});
  REQUIRE(marks.size() == 1);
  CHECK(static_cast<uint64_t>(marks[0]) == std::stoull(sha256_hex("7").substr(0, 16), nullptr, 16));
  CHECK(marks_of(points, {3, 7, 7, 1}).size() == 3);
  CHECK(marks_of(points, {3, 1}) == marks_of(points, {1, 3}));
}

TEST_CASE("rows that trained are counted among others, and nothing else is") {
  const Points points(55);
  const RowMarks marks = united(marks_of(points, {1, 2, 3}), marks_of(points, {3, 4}));
  CHECK(marks.size() == 4);
  CHECK(count_marked(points, {0, 1, 4, 5, 54}, marks) == 2);
  CHECK(count_marked(points, {0, 5, 54}, marks) == 0);
  CHECK(count_marked(points, {1}, {}) == 0);
}

TEST_CASE("a folder keeps its marks, and one without any says nothing") {
  const TemporaryFolder folder;
  CHECK(read_trained_on(folder.path()).empty());
  const Points points(55);
  const RowMarks marks = marks_of(points, {9, 8, 7, 6});
  write_trained_on(folder.path(), marks);
  CHECK(read_trained_on(folder.path()) == marks);
  CHECK(std::is_sorted(marks.begin(), marks.end()));
  write_trained_on(folder.path(), {});
  CHECK(read_trained_on(folder.path()).empty());
  write_safetensors(folder.path() / "trained_on.safetensors", {{"rows", torch::zeros({3})}});
  CHECK(contains(refusal([&] { read_trained_on(folder.path()); }), "rows: got no list"));
}
