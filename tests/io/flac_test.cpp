// What our own reading of FLAC finds before the decoder.
#include "io/flac.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tests/io/sound_gate.h"

using namespace amae;
using namespace amae::sounds;

TEST_CASE_METHOD(Gate, "FLAC of 8, 16 and 24 bits decodes to exactly the samples that were written") {
  for (const int bits : {8, 16, 24}) {
    INFO(bits << " bits");
    const Flac flac{.channels = 2, .bits = bits, .block = 100, .frames = 250, .sample = saw};
    const Signal signal = read_audio(put("a.flac", flac.bytes()));
    REQUIRE(signal.samples.sizes() == at::IntArrayRef({2, 250}));
    const float scale = 1.0F / static_cast<float>(int64_t{1} << (bits - 1));
    for (int n = 0; n < 250; ++n) {
      for (int c = 0; c < 2; ++c) {
        CHECK(signal.samples[c][n].item<float>() == static_cast<float>(saw(c, n)) * scale);
      }
    }
  }
}

TEST_CASE_METHOD(Gate, "a FLAC cut anywhere is found from its header and its last frame") {
  const std::string whole = Flac{.block = 16, .frames = 40, .sample = saw}.bytes();
  CHECK(audio_info(put("whole.flac", whole)).frames == 40);
  for (size_t bytes = 1; bytes < whole.size(); ++bytes) {
    INFO("cut to " << bytes << " of " << whole.size());
    const std::string message = refused(whole.substr(0, bytes));
    if (bytes > 42) CHECK_HOLDS(message, "truncated");
  }
}

TEST_CASE_METHOD(Gate, "a FLAC whose header counts other frames than there are is refused with both numbers") {
  Flac flac{.block = 100, .frames = 250, .sample = saw};
  for (const int64_t declared : {1, 249, 251, 1'000'000'000}) {
    flac.declared = declared;
    CHECK_HOLDS(refused(flac.bytes()), fmt::format("got 250 frames, expected {} as in the header", declared));
  }
  flac.declared = 0;
  CHECK_HOLDS(refused(flac.bytes()), "no length");
}

TEST_CASE_METHOD(Gate, "any single bit flipped in the frames of a FLAC is refused") {
  const std::string whole = Flac{.block = 16, .frames = 40, .sample = saw}.bytes();
  for (size_t bit = 42 * 8; bit < whole.size() * 8; ++bit) {
    INFO("bit " << bit);
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    const auto file = put("flipped.flac", bytes);
    CHECK_FALSE(problems_of([&] { read_audio(file); }).empty());
  }
}

TEST_CASE_METHOD(Gate, "FLAC metadata that leaves the file or is not what it should be is refused") {
  const Flac flac{.block = 16, .frames = 40, .sample = saw};
  const std::string head = be(34, 3) + flac.stream_info();
  const std::string frames = flac.bytes().substr(42);
  CHECK_HOLDS(refused("fLaC" + be(0, 1) + head + be(0x84, 1) + be(0xFFFFFF, 3) + frames), "16777215 bytes at byte 46");
  CHECK_HOLDS(refused("fLaC" + be(0x81, 1) + be(34, 3) + flac.stream_info() + frames), "expected one STREAMINFO");
  CHECK_HOLDS(refused("fLaC" + be(0, 1) + head + be(0x80, 1) + head + frames), "as number 2");
  CHECK_HOLDS(refused("fLaC" + be(0x80, 1) + be(33, 3) + flac.stream_info().substr(1) + frames), "33 bytes");
  std::string many = "fLaC" + be(0, 1) + head;
  for (int i = 0; i < 10'000; ++i) many += be(0x01, 1) + be(0, 3);
  CHECK_HOLDS(refused(many + frames), "more than 10000 metadata blocks");
  CHECK_HOLDS(refused(Flac{.bits = 12, .frames = 40}.bytes()), "12 bits, expected 8, 16 or 24");
  CHECK_HOLDS(refused(Flac{.block = 8, .frames = 40, .sample = saw}.bytes()), "8 samples");
  // A tag that players hang behind the sound does no harm; neither does a block that we do not know.
  const std::string known = "fLaC" + be(0, 1) + head + be(0xFE, 1) + be(4, 3) + "none" + frames;
  CHECK(audio_info(put("a.flac", known)).frames == 40);
  CHECK(audio_info(put("a.flac", flac.bytes() + "TAG" + std::string(125, ' '))).frames == 40);
}
