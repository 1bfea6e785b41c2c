#include "io/tar_reader.h"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "tar_bytes.h"
#include "tests/base/support.h"

using namespace amae;

namespace {

const std::string kVectors = AMAE_TEST_DATA "/sigmf/";

class TarFile {
 public:
  std::vector<TarEntry> read(const std::string& bytes) const {
    write_file(path(), bytes);
    return read_tar(RegularFile(path(), "TAR"));
  }
  std::string refused(const std::string& bytes) const {
    const Problem problem = refusal([&] { read(bytes); });
    CHECK(problem.code == "TAR");
    CHECK(problem.field == "tar archive");
    return problem.message;
  }
  [[nodiscard]] std::string path() const { return folder_.path() / "a.tar"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("archives that tar wrote are listed, names over 100 characters in GNU's and POSIX's way too") {
  CHECK(read_tar(RegularFile(kVectors + "types.sigmf", "TAR")).size() == 80);
  for (const char* form : {"gnu", "posix"}) {
    const RegularFile file(kVectors + "long_" + form + ".sigmf", "TAR");
    CHECK(is_tar(file));
    const auto entries = read_tar(file);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].name == "long/README.txt");
    CHECK(entries[1].name.size() > 100);
    CHECK(entries[1].name.ends_with("end.sigmf-data"));
    CHECK(entries[2].name.ends_with("end.sigmf-meta"));
    std::string readme(entries[0].size, '\0');
    file.read(entries[0].offset, readme.data(), readme.size());
    CHECK(readme == "Not a recording.\n");
  }
}

TEST_CASE_METHOD(TarFile, "links, folders and unknown kinds are passed over, and ./ before names") {
  const auto entries =
      read(tar_entry("./a", "12345") + tar_entry("link", "", '2') + tar_entry("folder/", "", '5') +
           tar_entry("what", "some text", 'X') + tar_entry("folder/b", std::string(600, 'b')) + tar_end());
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].name == "a");
  CHECK(entries[0].size == 5);
  CHECK(entries[0].offset == 512);
  CHECK(entries[1].name == "folder/b");
  CHECK(entries[1].size == 600);
  CHECK(read(tar_end()).empty());
}

TEST_CASE_METHOD(TarFile, "an archive cut anywhere is refused") {
  const std::string whole = tar_entry("a", std::string(700, 'a')) + tar_entry("b", "bb") + tar_end();
  CHECK(read(whole).size() == 2);
  const size_t end = whole.size() - tar_end().size() + 512;  // one block of zeros is an end
  for (size_t size = 0; size < end; size += 37) {
    INFO(size);
    CHECK(contains(refused(whole.substr(0, size)), "truncated file"));
  }
}

TEST_CASE_METHOD(TarFile, "what is no tar archive, or a damaged one, is refused with what is wrong") {
  CHECK(contains(refused(std::string(1024, 'x')), "got no header at byte 0"));
  std::string bad = tar_entry("a", "text");
  bad[3] ^= 1;
  CHECK(contains(refused(bad + tar_end()), "got no header at byte 0"));
  CHECK(contains(refused(tar_entry("a", "text") + bad + tar_end()), "got no header at byte 1024"));
  CHECK(contains(refused(tar_entry("a", "x") + tar_entry("./a", "y") + tar_end()), "got a twice"));
  CHECK(contains(refused(tar_entry("a", "", '0', "777777777777") + tar_end()), "truncated file"));
  CHECK(contains(refused(tar_entry("a", "", '0', "00000000x8") + tar_end()), "got no size"));
  // Base 256: a size of 2^63, and one of more than 64 bits.
  CHECK(contains(refused(tar_entry("a", "", '0', std::string("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12)) + tar_end()),
                 "truncated file"));
  CHECK(contains(refused(tar_entry("a", "", '0', std::string("\x80\x01\0\0\0\0\0\0\0\0\0\0", 12)) + tar_end()),
                 "got no size"));
  CHECK(contains(refused(tar_entry("a", "x", 'S') + tar_end()), "sparse"));
  CHECK(contains(refused(tar_entry("x", std::string(70'000, 'n'), 'L') + tar_entry("a", "x") + tar_end()),
                 "got an extended header of 70000 bytes"));
}

TEST_CASE_METHOD(TarFile, "extended headers name and size the next file, and damaged ones are refused") {
  const auto with = [&](const std::string& records) {
    return tar_entry("x", records, 'x') + tar_entry("short", "12345678") + tar_end();
  };
  CHECK(read(with("17 path=long/one\n"))[0].name == "long/one");
  CHECK(read(with("10 size=4\n"))[0].size == 4);
  CHECK(read(with("30 comment=nothing to us here\n"))[0].name == "short");
  for (const char* records : {"17 path=long/one", "999 path=x\n", "x path=x\n", "5 a=b\n", "7 path\n", "0 path=x\n",
                              "-3 path=x\n", "12 size=4x\n", "10 size=\n"}) {
    INFO(records);
    refused(with(records));
  }
  CHECK(contains(refused(with("22 GNU.sparse.major=1\n")), "sparse"));
  CHECK(contains(refused(tar_entry("x", "10 size=4\n", 'g') + tar_end()), "for all files"));
}

TEST_CASE_METHOD(TarFile, "no byte of an archive, however changed, is anything but refused or read") {
  const std::string good = tar_entry("x", "13 path=abcd\n", 'x') + tar_entry("a", "text") + tar_end();
  for (size_t at = 0; at < good.size() - 1024; at += at < 400 ? 1 : 7) {
    for (const char byte : {'\0', '\xff', '7', ' '}) {
      std::string bad = good;
      bad[at] = byte;
      try {
        for (const TarEntry& entry : read(bad)) CHECK(entry.offset + entry.size <= bad.size());
      } catch (const InputError& error) {
        CHECK(error.problems().size() == 1);
      }
    }
  }
}
