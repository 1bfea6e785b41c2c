#include "base/text.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "amae/draw.h"

namespace amae {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("a slip of the finger finds the name that was meant") {
  const Words names = {"epochs", "batch_size", "learning_rate", "lr"};
  CHECK(nearest("epoch", names) == "epochs");
  CHECK(nearest("epocsh", names) == "epochs");  // neighbours swapped
  CHECK(nearest("batchsize", names) == "batch_size");
  CHECK(nearest("learning_rat", names) == "learning_rate");
  CHECK(nearest("lt", names) == "lr");
  CHECK(nearest("epochs", names) == "epochs");
}

TEST_CASE("a word that resembles no name finds none") {
  CHECK(nearest("momentum", {"epochs", "batch_size"}).empty());
  CHECK(nearest("xy", {"lr"}).empty());  // every letter differs
  CHECK(nearest("lr", {}).empty());
  CHECK(nearest("abc", {"abc" + std::string(1000, 'x')}).empty());
}

TEST_CASE("the nearest of several is taken, the first of equals") {
  CHECK(nearest("gain", {"grain", "gains", "gain_db"}) == "grain");
  CHECK(nearest("resnet", {"densenet", "resent", "wavenet"}) == "resent");
}

TEST_CASE("a shell pattern matches as a shell would") {
  CHECK(matches("mel_spectrogram", "*"));
  CHECK(matches("mel_spectrogram", "mel*"));
  CHECK(matches("mel_spectrogram", "*gram"));
  CHECK(matches("mel_spectrogram", "m?l*spec*"));
  CHECK(matches("abcabd", "*ab?"));  // the first "ab" is the wrong one: needs a second try
  CHECK(matches("", "*"));
  CHECK(matches("", ""));
  CHECK_FALSE(matches("mel_spectrogram", "mel"));
  CHECK_FALSE(matches("mel", "mel?"));
  CHECK_FALSE(matches("mel", "*x*"));
  CHECK_FALSE(matches("mel", ""));
  CHECK_FALSE(matches("Mel", "mel"));
  CHECK_FALSE(matches(std::string(2000, 'a'), "*a*a*a*a*a*a*b"));  // and not in exponential time
}

TEST_CASE("a number's text is short and reads back to the same bits") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(3) == "3");
  CHECK(number_text(1e-5) == "1e-05");
  CHECK(number_text(-2.5) == "-2.5");
  CHECK(number_text(std::nan("")) == "nan");
  CHECK(number_text(INFINITY) == "inf");
  CHECK(number_text(-INFINITY) == "-inf");
  Draw draw(1, 0, 0, 0);
  for (int i = 0; i < 1000; ++i) {
    const auto value = std::bit_cast<double>(uint64_t{draw.bits()} << 32 | draw.bits());
    if (!std::isfinite(value)) continue;
    CHECK(std::bit_cast<uint64_t>(std::strtod(number_text(value).c_str(), nullptr)) == std::bit_cast<uint64_t>(value));
  }
}

TEST_CASE("a number is a whole text and finite") {
  CHECK(number_of("-1.5e3") == -1500);
  CHECK(number_of("7") == 7);
  for (const char* text : {"", " 1", "1 ", "1s", "nan", "inf", "1e999", "0x10", "one"}) {
    INFO(text);
    CHECK(std::isnan(number_of(text)));
  }
}

TEST_CASE("printable text is one line of valid UTF-8 that moves no cursor") {
  CHECK(printable("plain text, caf\xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x90\xB6") ==
        "plain text, caf\xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x90\xB6");
  CHECK(printable("a\nb\tc") ==
        "a\\x0Ab\\x09"
        "c");
  CHECK(printable(std::string("a\0b", 3)) ==
        "a\\x00"
        "b");
  CHECK(printable("\x1B[2J\x7F") == "\\x1B[2J\\x7F");
  CHECK(printable("\xC2\x9B"
                  "2J") ==
        "\\xC2\\x9B"
        "2J");  // U+009B is the same escape in one character
  CHECK(printable("\xC2\xA0") == "\xC2\xA0");
  CHECK(printable("caf\xE9") == "caf\\xE9");
  CHECK(printable("\xC0\xAF") == "\\xC0\\xAF");                    // overlong
  CHECK(printable("\xED\xA0\x80") == "\\xED\\xA0\\x80");           // half a surrogate pair
  CHECK(printable("\xF4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(printable("\xE2\x82") == "\\xE2\\x82");                    // cut off
}

TEST_CASE("durations take the unit that people would") {
  CHECK(duration_text(0) == "0ms");
  CHECK(duration_text(0.12) == "120ms");
  CHECK(duration_text(42.06) == "42.1s");
  CHECK(duration_text(187) == "3m07s");
  CHECK(duration_text(3720) == "1h02m");
  CHECK(duration_text(360000) == "100h00m");
  CHECK(duration_text(INFINITY) == "?");
}

TEST_CASE("a duration that rounds up to the next unit is told in it") {
  CHECK(duration_text(0.9996) == "1.0s");
  CHECK(duration_text(59.96) == "1m00s");
  CHECK(duration_text(3599.7) == "1h00m");
}

TEST_CASE("bytes and counts have three digits and a unit") {
  CHECK(bytes_text(7) == "7 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(12 * 1024) == "12.0 KiB");
  CHECK(bytes_text(1.5 * 1024 * 1024 * 1024) == "1.50 GiB");
  CHECK(bytes_text(5e15) == "4547.5 TiB");
  CHECK(count_text(830) == "830");
  CHECK(count_text(1570000) == "1.57M");
  CHECK(count_text(12400000) == "12.4M");
  CHECK(count_text(21304050) == "21.3M");
}

TEST_CASE("a size that rounds up to the next unit is told in it") {
  CHECK(bytes_text(1024 * 1024 - 1) == "1.00 MiB");
  CHECK(count_text(999999) == "1.00M");
  CHECK(count_text(9999) == "10.0k");
}

TEST_CASE("words are joined with the separator between them only") {
  CHECK(join({}, ", ").empty());
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({"a", "", "c"}, ", ") == "a, , c");
}

}  // namespace
}  // namespace amae
