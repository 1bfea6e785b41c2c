#include "io/sealed_file.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>

#include "base/file.h"
#include "tests/base/support.h"
#include "tests/damage.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

const std::string kSealedFormat = "amae-test 1";

class Sealed {
 public:
  [[nodiscard]] fs::path path() const { return folder_.path() / "numbers.bin"; }
  [[nodiscard]] std::vector<std::string> names() const { return names_in(folder_.path()); }

  void write(const std::string& payload, const nlohmann::json& description = {{"rows", 3}}) const {
    SealedWriter writer(path(), kSealedFormat);
    writer.write(payload.data(), payload.size());
    writer.commit(description);
  }
  [[nodiscard]] SealedFile open(const std::string& format = kSealedFormat) const { return {path(), format, "TEST"}; }
  [[nodiscard]] Problem refused(const std::string& format = kSealedFormat) const {
    return refusal([&] { static_cast<void>(open(format)); });
  }
  [[nodiscard]] static std::string payload_of(const SealedFile& file) {
    std::string payload(file.payload_bytes(), '\0');
    file.read(0, payload.data(), payload.size());
    return payload;
  }
  /// Whether the file is refused before anything of its payload is used.
  [[nodiscard]] bool is_refused() const {
    return refuses_file("TEST", path(), [&] { open().verify(); });
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE_METHOD(Sealed, "a sealed file gives back its payload and what was said about it") {
  {
    SealedWriter writer(path(), kSealedFormat);
    writer.write("one, ", 5);
    writer.write(nullptr, 0);
    writer.write("two", 3);
    CHECK(writer.payload_bytes() == 8);
    CHECK_FALSE(fs::exists(path()));  // not before it is whole
    writer.commit({{"rows", 3}, {"data", "a \"b\"\n"}});
  }
  SealedFile file = open();
  CHECK_NOTHROW(file.verify());
  CHECK(payload_of(file) == "one, two");
  CHECK(file.description() == nlohmann::json{{"rows", 3}, {"data", "a \"b\"\n"}, {"xxh3", xxh3_hex("one, two")}});
  char part[3] = {};
  file.read(5, part, 3);
  CHECK(std::string(part, 3) == "two");
  CHECK(std::string(file.map(), file.payload_bytes()) == "one, two");
  CHECK(file.map() == file.map());
  CHECK(read_file(path()).starts_with(kSealedFormat + " payload="));
  CHECK(names() == std::vector<std::string>{"numbers.bin"});
}

TEST_CASE_METHOD(Sealed, "text that is not UTF-8 does not keep a file from being sealed") {
  write("x", {{"path", "a\xff"}});
  CHECK(open().description().at("path") == "a\xEF\xBF\xBD");  // U+FFFD
}

TEST_CASE_METHOD(Sealed, "equal payloads and words make equal bytes") {
  write("payload");
  const std::string first = read_file(path());
  write("payload");
  CHECK(read_file(path()) == first);
  write("payloae");
  CHECK(read_file(path()) != first);
}

TEST_CASE_METHOD(Sealed, "every single flipped bit and every shorter length of a sealed file is refused") {
  write("twenty-four bytes of it.", {{"rows", 3}, {"say", "a word"}});
  const auto size = static_cast<int64_t>(fs::file_size(path()));
  const DamagePlan all{.first_bytes = uint64_t{1} << 30U, .drawn_bits = 0, .cuts = size};
  CHECK(missed_damages(path(), all, [&] { return is_refused(); }) == "none");
  CHECK_NOTHROW(open().verify());  // and it is whole again
  append_file(path(), "x");
  CHECK(contains(refused().message, "bytes, expected"));
}

TEST_CASE_METHOD(Sealed, "damage in the last byte of a payload larger than the reading buffer is found") {
  std::string payload(5 * (size_t{1} << 19U) + 3, 'p');
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * i >> 3U);
  write(payload);
  CHECK_NOTHROW(open().verify());
  CHECK(payload_of(open()) == payload);
  SealedFile file = open();
  CHECK(std::string(file.map(), file.payload_bytes()) == payload);
  const FlippedBit flipped(path(), kSealedPage + payload.size() - 1, 0);
  const Problem problem = refusal([&] { open().verify(); });
  CHECK(problem.where == path().string());
  CHECK(contains(problem.message, "does not match its hash"));
}

TEST_CASE_METHOD(Sealed, "an empty payload is sealed too") {
  write("");
  SealedFile file = open();
  CHECK(file.payload_bytes() == 0);
  CHECK_NOTHROW(file.verify());
  CHECK(file.map() != nullptr);
  CHECK(file.description().at("xxh3") == xxh3_hex(""));
}

TEST_CASE_METHOD(Sealed, "a file of another format is refused by name, beginnings of the name too") {
  write("payload");
  for (const std::string format : {"amae-other 1", "amae-test 2", "amae-test", "amae-test 12", ""}) {
    INFO(format);
    const Problem problem = refused(format);
    CHECK(problem.code == "TEST");
    CHECK(problem.where == path().string());
    CHECK(contains(problem.message, "first page"));
  }
}

TEST_CASE_METHOD(Sealed, "what is missing or no file is refused, not waited for") {
  CHECK(contains(refused().message, "no such file"));
  fs::create_directory(path());
  CHECK(contains(refused().message, "a folder"));
  fs::remove(path());
  REQUIRE(::mkfifo(path().c_str(), 0600) == 0);
  CHECK(contains(refused().message, "a pipe"));
}

TEST_CASE_METHOD(Sealed, "a read behind the end of a sealed file is refused") {
  write("payload");
  const SealedFile file = open();
  std::string buffer(fs::file_size(path()), '\0');
  CHECK(contains(refusal([&] { file.read(1, buffer.data(), buffer.size()); }).message, "truncated"));
}

TEST_CASE_METHOD(Sealed, "a writer that is not committed leaves nothing, and the old file as it was") {
  const auto give_up = [&] {
    SealedWriter writer(path(), kSealedFormat);
    writer.write("half", 4);
  };
  give_up();
  CHECK(names().empty());
  write("payload");
  const std::string before = read_file(path());
  give_up();
  CHECK(read_file(path()) == before);
  CHECK(names() == std::vector<std::string>{"numbers.bin"});
}

TEST_CASE_METHOD(Sealed, "what a killed writer left is removed by the next one, and what a living one writes is not") {
  const auto left_by_child = [&](bool is_killed) {
    return status_of_child([&] {
      SealedWriter writer(path(), kSealedFormat);
      if (is_killed) ::kill(::getpid(), SIGKILL);
      return 0;
    });
  };
  CHECK(WTERMSIG(left_by_child(true)) == SIGKILL);
  REQUIRE(names().size() == 1);
  CHECK(contains(names()[0], "numbers.bin.tmp-"));
  write("payload");
  CHECK(names() == std::vector<std::string>{"numbers.bin"});
  // A living one is of another process here; its lock tells.
  const SealedWriter living(path(), kSealedFormat);
  const auto writing = names();
  REQUIRE(writing.size() == 2);
  CHECK(WEXITSTATUS(status_of_child([&] {
          write("payload of the child");
          return 0;
        })) == 0);
  CHECK(names() == writing);
}

TEST_CASE_METHOD(Sealed, "readers of the old file keep it when a new one takes its place") {
  write("old");
  SealedFile old = open();
  const char* mapped = old.map();
  write("new payload");
  CHECK(payload_of(old) == "old");
  CHECK(std::string(mapped, 3) == "old");
  CHECK_NOTHROW(old.verify());
  CHECK(payload_of(open()) == "new payload");
}

TEST_CASE_METHOD(Sealed, "where a file cannot be written the fault is told and nothing is left") {
  const fs::path nowhere = path() / "file";
  CHECK(refusal<EnvironmentError>([&] { const SealedWriter writer(nowhere, kSealedFormat); }).where ==
        nowhere.string());
  fs::create_directories(path() / "in the way");
  const Problem problem = refusal<EnvironmentError>([&] { write("payload"); });
  CHECK(problem.code == "FILE");
  CHECK(problem.where == path().string());
  CHECK(contains(problem.message, "cannot rename"));
  CHECK(names() == std::vector<std::string>{"numbers.bin"});
}

}  // namespace amae
