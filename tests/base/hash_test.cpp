#include "base/hash.h"

#include <sys/stat.h>

#include "base/file.h"
#include "tests/base/support.h"

namespace amae {
namespace {

// Published: FIPS 180-2, appendix B (SHA-256); xxhsum -H2 of xxHash 0.8 (XXH3, 128 bit, seed 0).

TEST_CASE("SHA-256 gives the published digests") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("XXH3 gives the published digests, high half first") {
  CHECK(xxh3_hex("") == "99aa06d3014798d86001c324468d497f");
  CHECK(xxh3_hex("a") == "a96faf705af16834e6c632b61e964e1f");
  CHECK(xxh3_hex("abc") == "06b05ab6733a618578af5f94892f3950");
}

TEST_CASE("the hash of a file is the hash of its bytes, however many buffers it fills") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  for (const size_t size : {0UL, 5UL, 1UL << 20U, (3UL << 20U) + 17}) {  // the buffer holds 1 MiB
    INFO(size);
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i % 251);
    write_file(path, bytes);
    CHECK(sha256_file(path) == sha256_hex(bytes));
    CHECK(xxh3_file(path) == xxh3_hex(bytes));
  }
}

TEST_CASE("what is no readable file is refused by name and never waited for") {
  const TemporaryFolder folder;
  const auto fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const auto& path : {folder.path(), fifo, folder.path() / "missing"}) {
    CHECK(refusal([&] { static_cast<void>(sha256_file(path)); }).where == path.string());
    CHECK(refusal([&] { static_cast<void>(xxh3_file(path)); }).where == path.string());
  }
}

}  // namespace
}  // namespace amae
