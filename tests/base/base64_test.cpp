#include "base/base64.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace amae {
namespace {

TEST_CASE("base64 gives the published examples") {  // RFC 4648, section 10
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("base64 uses every letter of the standard alphabet in order, for bytes of any value") {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;  // whose groups of six bits count from 0 to 63
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned group = i << 18U | (i + 1) << 12U | (i + 2) << 6U | (i + 3);
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(group >> shift & 255U);
  }
  CHECK(base64(bytes) == alphabet);
  CHECK(base64(std::string("\0\0\0\0", 4)) == "AAAAAA==");
  CHECK(base64("\xFF\xFF\xFF\xFF\xFF") == "//////8=");
}

TEST_CASE("a long text is its groups of three bytes one after another") {
  std::string bytes, expected;
  for (size_t i = 0; i < 30'001; ++i) bytes += static_cast<char>(i * i % 251);
  for (size_t at = 0; at < bytes.size(); at += 3) expected += base64(std::string_view(bytes).substr(at, 3));
  CHECK(base64(bytes) == expected);
}

}  // namespace
}  // namespace amae
