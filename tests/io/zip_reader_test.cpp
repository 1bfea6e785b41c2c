#include "io/zip_reader.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "tests/io/zip_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

class ZipFolder {
 public:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "a.zip"; }

  /// "FIELD: MESSAGE" of the refusal to open these bytes and read all entries.
  [[nodiscard]] std::string refusal(const std::string& bytes) const {
    write_file(path(), bytes);
    const auto problems = problems_of([&] {
      const ZipReader zip(path(), "ZIP");
      for (const ZipEntry& entry : zip.entries()) static_cast<void>(zip.read_text(entry, 1 << 20));
    });
    if (problems.empty()) return "";
    CHECK(problems[0].code == "ZIP");
    CHECK(contains(problems[0].where, "a.zip"));
    return problems[0].field + ": " + problems[0].message;
  }
  void refuses(const std::string& bytes, const std::string& part) const {
    const std::string text = refusal(bytes);
    INFO(text << " should say " << part);
    CHECK(contains(text, part));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE_METHOD(ZipFolder, "stored entries come back whole, found by their name") {
  std::string noise;
  for (int i = 0; i < 100'000; ++i) noise += static_cast<char>(i * 7919 >> 3);
  write_file(path(), zip_of({{"b/noise", noise}, {"a", "one"}, {"b/empty", ""}}));
  const ZipReader zip(path(), "ZIP");
  REQUIRE(zip.entries().size() == 3);
  CHECK(zip.entries()[0].name == "a");
  CHECK(zip.read_text(*zip.find("b/noise"), 1 << 20) == noise);
  CHECK(zip.read_text(*zip.find("b/noise"), 1 << 20) == noise);  // a second time too
  CHECK(zip.read_text(*zip.find("a"), 3) == "one");
  CHECK(zip.read_text(*zip.find("b/empty"), 0).empty());
  CHECK(zip.find("b") == nullptr);
  CHECK(contains(problems_of([&] { static_cast<void>(zip.read_text(*zip.find("a"), 2)); }).at(0).message,
                 "got 3 bytes, expected at most 2"));
}

TEST_CASE_METHOD(ZipFolder, "every cut of an archive is refused") {
  const std::string bytes = zip_of({{"a", "one"}, {"b", "two"}});
  for (size_t length = 0; length < bytes.size(); ++length) {
    INFO(length);
    CHECK_FALSE(refusal(bytes.substr(0, length)).empty());
  }
  refuses(bytes.substr(0, bytes.size() / 2), "expected a whole zip archive; was it cut?");
}

TEST_CASE_METHOD(ZipFolder, "each documented fault is refused with the entry named") {
  const std::string bytes = zip_of({{"a", "one"}, {"b", "two"}});
  std::string flipped = bytes;
  flipped[flipped.find("one")] ^= 1;
  refuses(flipped, "a: got bytes of another CRC-32");
  refuses("this is no archive", "zip archive: ");
  refuses(zip_of({{"a", "one"}, {"a", "two"}}), "a: got this entry twice");
  refuses(zip_of({{"bomb", "\x03", 8, 1 << 20}}), "bomb: got a compressed or encrypted entry");
  refuses(zip_of({{"bomb", "\x03", 8, 1 << 30}}), "bomb: got 1073741824 bytes, expected at most");
  refuses(zip_of({{"a", "one", 0, 1 << 30}}), "a: got a stored entry of 1073741824 bytes that takes 3");
  const std::string big(10'000, 'x');
  refuses(zip_of({{"a", big}, {"b", "", 0, -1, 0}, {"c", "", 0, -1, 0}}), "their bytes overlap");
  CHECK(problems_of([&] { const ZipReader zip("/nowhere/a.zip", "ZIP"); }).size() == 1);
}
