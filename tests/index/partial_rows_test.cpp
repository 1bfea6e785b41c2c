#include "index/partial_rows.h"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fstream>
#include <limits>

#include "tests/base/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kWidth = 3;

/// Rows whose numbers follow `from`, with bits that a sum or a text would lose.
ItemRows rows_from(int from, int64_t rows) {
  ItemRows item;
  for (int64_t i = 0; i < rows; ++i) {
    item.start_s.push_back(from + static_cast<double>(i) / 3);
    item.end_s.push_back(from + static_cast<double>(i + 1) / 3);
    const auto base = static_cast<float>(from);
    item.vectors.insert(item.vectors.end(), {base / 7, -0.0F, std::numeric_limits<float>::denorm_min()});
  }
  return item;
}

class Folder {
 public:
  Folder() { fs::create_directory(path()); }
  [[nodiscard]] fs::path path() const { return folder_.path() / "rows"; }
  [[nodiscard]] fs::path file() const { return path() / "rows.bin"; }
  [[nodiscard]] PartialRows open(const std::string& maker = "maker 1") const { return {path(), maker, kWidth}; }
  static void add(PartialRows& rows, const std::string& id, const ItemRows& item) {
    rows.add(id, "content of " + id, item.start_s, item.end_s, item.vectors.data());
  }
  /// Whether an item is there as it was added, bit by bit.
  static bool holds(const PartialRows& rows, const std::string& id, const ItemRows& item) {
    const auto found = rows.find(id, "content of " + id);
    CHECK(found.has_value() == rows.has(id, "content of " + id));
    return found && found->start_s == item.start_s && found->end_s == item.end_s &&
           found->vectors.size() == item.vectors.size() &&
           std::memcmp(found->vectors.data(), item.vectors.data(), item.vectors.size() * sizeof(float)) == 0;
  }
  void put(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }  // no sync: hundreds
  /// Adds "a", "b" and "c"; sizes of the file before each of them and in the end.
  [[nodiscard]] std::vector<uint64_t> fill() const {
    PartialRows rows = open();
    std::vector<uint64_t> sizes = {fs::file_size(file())};
    for (size_t i = 0; i < ids.size(); ++i) {
      add(rows, ids[i], items[i]);
      sizes.push_back(fs::file_size(file()));
    }
    return sizes;
  }
  /// Which of "a", "b" and "c" a reopened folder has.
  [[nodiscard]] std::string held() const {
    const PartialRows rows = open();
    std::string names;
    for (size_t i = 0; i < ids.size(); ++i) names += holds(rows, ids[i], items[i]) ? ids[i] : "";
    return names;
  }

  const std::vector<std::string> ids = {"a", "b", "c"};
  const std::vector<ItemRows> items = {rows_from(1, 1), rows_from(2, 2), rows_from(3, 1)};

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE_METHOD(Folder, "items come back bit by bit, at once and from a folder that is opened again") {
  {
    PartialRows rows = open();
    CHECK_FALSE(rows.has("a", "content of a"));
    CHECK_FALSE(rows.find("a", "content of a"));
    for (size_t i = 0; i < ids.size(); ++i) add(rows, ids[i], items[i]);
    for (size_t i = 0; i < ids.size(); ++i) CHECK(holds(rows, ids[i], items[i]));
  }
  PartialRows rows = open();
  for (size_t i = 0; i < ids.size(); ++i) CHECK(holds(rows, ids[i], items[i]));
  CHECK_FALSE(rows.has("a", "another content"));
  CHECK_FALSE(rows.find("d", "content of d"));
  add(rows, "d", rows_from(4, 1));
  CHECK(holds(rows, "d", rows_from(4, 1)));
}

TEST_CASE_METHOD(Folder, "an item that is added again is found as it was last") {
  {
    PartialRows rows = open();
    add(rows, "a", rows_from(1, 1));
    add(rows, "a", rows_from(5, 2));
    CHECK(holds(rows, "a", rows_from(5, 2)));
  }
  CHECK(holds(open(), "a", rows_from(5, 2)));
}

TEST_CASE_METHOD(Folder, "a last record that is torn anywhere is lost and no other") {
  const std::vector<uint64_t> sizes = fill();
  const std::string whole = read_file(file());
  REQUIRE(sizes == std::vector<uint64_t>{0, sizes[1], sizes[2], whole.size()});
  for (uint64_t size = sizes[2]; size < whole.size(); ++size) {
    put(whole.substr(0, size));
    INFO(size);
    CHECK(held() == "ab");
    CHECK(fs::file_size(file()) == sizes[2]);  // cut off, so that what is added next can be read
  }
  {
    PartialRows rows = open();
    add(rows, "c", items[2]);
  }
  CHECK(held() == "abc");
  CHECK(read_file(file()) == whole);
}

TEST_CASE_METHOD(Folder, "a flipped bit loses its record and what follows, and nothing before") {
  const std::vector<uint64_t> sizes = fill();
  const std::string whole = read_file(file());
  std::vector<std::string> missed;
  for (uint64_t byte = 0; byte < whole.size(); ++byte) {
    const std::string expected = byte < sizes[1] ? "" : byte < sizes[2] ? "a" : "ab";
    const bool is_middle = expected == "a";  // every bit of the second record, one bit of each byte of the others
    for (int bit = 0; bit < 8; ++bit) {
      if (!is_middle && bit != static_cast<int>(byte % 8)) continue;
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ 1 << bit);
      put(damaged);
      if (held() != expected) missed.push_back(fmt::format("bit {} of byte {}", bit, byte));
    }
  }
  CHECK(missed.empty());
  put(whole);
  CHECK(held() == "abc");
}

TEST_CASE_METHOD(Folder, "what another maker left is told, and removed by who takes its place") {
  CHECK_FALSE(PartialRows::has_other(path(), "maker 1"));
  static_cast<void>(fill());
  CHECK(held() == "abc");
  CHECK_FALSE(PartialRows::has_other(path(), "maker 1"));
  CHECK(PartialRows::has_other(path(), "maker 2"));
  CHECK(held() == "abc");
  CHECK_FALSE(open("maker 2").has("a", "content of a"));
  CHECK(held().empty());
  static_cast<void>(fill());
  fs::remove(path() / "maker.txt");
  CHECK(held().empty());
}

TEST_CASE_METHOD(Folder, "a record that was changed under our hands is an error, never a lost item") {
  PartialRows rows = open();
  add(rows, "a", items[0]);
  std::string bytes = read_file(file());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::fstream(file(), std::ios::binary | std::ios::in | std::ios::out) << bytes;
  CHECK(refusal<EnvironmentError>([&] { static_cast<void>(rows.find("a", "content of a")); }).where == file().string());
}

TEST_CASE_METHOD(Folder, "an id that no record can hold is refused") {
  PartialRows rows = open();
  CHECK(refusal([&] { add(rows, std::string(1 << 20U, 'x'), items[0]); }).code == "STORE");
}

TEST_CASE_METHOD(Folder, "a link in the place of the rows is not followed") {
  static_cast<void>(fill());
  fs::rename(file(), path() / "elsewhere");
  fs::create_symlink(path() / "elsewhere", file());
  CHECK(refusal<EnvironmentError>([&] { static_cast<void>(open()); }).where == file().string());
}

}  // namespace amae
