#include "base/base64.h"

#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

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

/// Of a text that must decode.
std::string decoded(std::string_view text) {
  std::string bytes = "what was there before";
  REQUIRE(base64_decode(text, bytes) == std::nullopt);
  return bytes;
}

/// Where a text that must be refused is wrong.
size_t wrong_at(std::string_view text) {
  std::string bytes = "what was there before";
  const std::optional<size_t> offset = base64_decode(text, bytes);
  REQUIRE(offset.has_value());
  CHECK(bytes.empty());
  return *offset;
}

TEST_CASE("base64 decodes the published examples") {  // RFC 4648, section 10
  CHECK(decoded("").empty());
  CHECK(decoded("Zg==") == "f");
  CHECK(decoded("Zm8=") == "fo");
  CHECK(decoded("Zm9v") == "foo");
  CHECK(decoded("Zm9vYg==") == "foob");
  CHECK(decoded("Zm9vYmE=") == "fooba");
  CHECK(decoded("Zm9vYmFy") == "foobar");
}

TEST_CASE("bytes of any value and number come back from their base64") {
  std::string bytes;
  for (size_t i = 0; i < 1'000; ++i) {
    REQUIRE(decoded(base64(bytes)) == bytes);
    bytes += static_cast<char>(i * i % 257);
  }
}

TEST_CASE("a character that is no letter is told by its offset") {
  const std::string text = base64(std::string(300, 'x'));
  for (int c = 0; c < 256; ++c) {
    const bool is_letter = std::isalnum(c) != 0 || c == '+' || c == '/';
    for (const size_t at : {0U, 1U, 2U, 3U, 201U, 398U}) {
      std::string changed = text;
      changed[at] = static_cast<char>(c);
      INFO("character " << c << " at " << at);
      std::string bytes;
      if (is_letter) {
        CHECK(base64_decode(changed, bytes) == std::nullopt);
      } else {
        CHECK(base64_decode(changed, bytes) == at);
      }
    }
  }
  CHECK(wrong_at("Zm9v\nYmFy") == 4);
  CHECK(wrong_at("Zm9v\r\n") == 4);
  CHECK(wrong_at(" Zm9v") == 0);
  CHECK(wrong_at("-_-_") == 0);  // the alphabet of section 5
  CHECK(wrong_at("data:audio/wav;base64,Zm9v") == 4);
}

TEST_CASE("padding that is missing, too much or at a wrong place is refused") {
  CHECK(wrong_at("Zg") == 2);
  CHECK(wrong_at("Zg=") == 2);
  CHECK(wrong_at("Zm8") == 3);
  CHECK(wrong_at("Z") == 1);
  CHECK(wrong_at("Zm9vY") == 5);
  CHECK(wrong_at("=") == 0);
  CHECK(wrong_at("====") == 0);
  CHECK(wrong_at("Z===") == 1);
  CHECK(wrong_at("Zg===") == 2);
  CHECK(wrong_at("Zm9v=") == 4);
  CHECK(wrong_at("Zm9v====") == 4);
  CHECK(wrong_at("Zg=a") == 2);
  CHECK(wrong_at("Zg==Zg==") == 2);  // two texts are not one
  CHECK(wrong_at("Zm8=Zm8=") == 3);
}

TEST_CASE("bits behind the last byte must be zero, so that no bytes have two texts") {
  CHECK(wrong_at("Zh==") == 1);
  CHECK(wrong_at("Zv==") == 1);
  CHECK(wrong_at("Zm9=") == 2);
  CHECK(wrong_at("Zm9vZm+=") == 6);
}

}  // namespace
}  // namespace amae
