// Row A09 of the reliability plan: every sample format that is read, against the test's own encoding.
#include <fmt/format.h>

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tests/cli/audio_gate.h"

using namespace amae;
using namespace amae::sounds;

namespace {

// A09: the test's own encoding of reference samples, in every format that is read.
struct Samples {
  std::string le_bytes, be_bytes;
  std::vector<float> values;
};

/// Steps through the range of an integer format, ends and neighbours of 0 included.
Samples integers(int bits) {
  Samples made;
  const int64_t half = int64_t{1} << (bits - 1);
  std::vector<int64_t> numbers = {-half, half - 1, 0, 1, -1};
  for (int64_t i = 0; i < 500; ++i) numbers.push_back(-half + (2 * half - 1) / 499 * i + i % 3);
  for (const int64_t number : numbers) {
    const auto stored = static_cast<uint64_t>(bits == 8 ? number + 128 : number);  // 8 bits are unsigned
    made.le_bytes += le(stored, bits / 8);
    made.be_bytes += be(stored, bits / 8);
    made.values.push_back(static_cast<float>(number) / static_cast<float>(half));
  }
  return made;
}

Samples floats(int bits) {
  Samples made;
  std::vector<float> numbers = {0.0F, -0.0F, 1.0F, -1.0F, 0.1F, 1e-30F, 1e-45F, 3.999F};
  for (int i = 0; i < 500; ++i) numbers.push_back(std::sin(static_cast<float>(i)) * 1.5F);
  for (const float number : numbers) {
    const uint64_t stored = bits == 32 ? std::bit_cast<uint32_t>(number) : std::bit_cast<uint64_t>(double{number});
    made.le_bytes += le(stored, bits / 8);
    made.be_bytes += be(stored, bits / 8);
    made.values.push_back(number);
  }
  return made;
}

std::string extensible(int tag, int bits, const std::string& data) {
  const std::string guid = le(static_cast<uint64_t>(tag), 4) + std::string("\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71", 12);
  return riff(chunk("fmt ", le(0xFFFE, 2) + le(1, 2) + le(16'000, 4) + le(16'000 * bits / 8, 4) + le(bits / 8, 2) +
                                le(bits, 2) + le(22, 2) + le(bits, 2) + le(4, 4) + guid) +
              chunk("data", data));
}

std::string rifx(int tag, int bits, const std::string& data) {
  const std::string chunks = "fmt " + be(16, 4) + be(tag, 2) + be(1, 2) + be(16'000, 4) + be(16'000 * bits / 8, 4) +
                             be(bits / 8, 2) + be(bits, 2) + "data" + be(data.size(), 4) + data +
                             std::string(data.size() % 2, '\0');
  return "RIFX" + be(4 + chunks.size(), 4) + "WAVE" + chunks;
}

std::string rf64(int tag, int bits, const std::string& data) {
  const std::string sizes = chunk("ds64", le(0, 8) + le(data.size(), 8) + le(0, 8) + le(0, 4));
  return "RF64" + le(0xFFFFFFFF, 4) + "WAVE" + sizes + fmt_chunk(tag, 1, 16'000, bits) + "data" + le(0xFFFFFFFF, 4) +
         data + std::string(data.size() % 2, '\0');
}

std::string wave64(int tag, int bits, const std::string& data) {
  const std::string tail("\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A", 12);
  const std::string format =
      le(tag, 2) + le(1, 2) + le(16'000, 4) + le(16'000 * bits / 8, 4) + le(bits / 8, 2) + le(bits, 2);
  const std::string rest = "wave" + tail + "fmt " + tail + le(24 + 16, 8) + format + "data" + tail +
                           le(24 + data.size(), 8) + data + std::string((8 - data.size() % 8) % 8, '\0');
  return std::string("riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00", 16) + le(24 + rest.size(), 8) + rest;
}

}  // namespace

TEST_CASE_METHOD(Gate, "A09: every sample format decodes to the reference bit for bit") {
  const auto equal = [&](const std::string& name, const std::string& bytes, const std::vector<float>& expected) {
    INFO(name);
    const std::vector<float> values = decodes(name, bytes);
    REQUIRE(values.size() == expected.size());
    CHECK(std::memcmp(values.data(), expected.data(), values.size() * sizeof(float)) == 0);
  };
  for (const int bits : {8, 16, 24, 32}) {
    const Samples samples = integers(bits);
    const std::string name = fmt::format("s{}", bits);
    equal(name + ".wav", wav(1, 1, 16'000, bits, samples.le_bytes), samples.values);
    equal(name + "_ext.wav", extensible(1, bits, samples.le_bytes), samples.values);
    equal(name + "_rifx.wav", rifx(1, bits, samples.be_bytes), samples.values);
  }
  for (const int bits : {32, 64}) {
    const Samples samples = floats(bits);
    const std::string name = fmt::format("f{}", bits);
    equal(name + ".wav", wav(3, 1, 16'000, bits, samples.le_bytes), samples.values);
    equal(name + "_ext.wav", extensible(3, bits, samples.le_bytes), samples.values);
    equal(name + "_rifx.wav", rifx(3, bits, samples.be_bytes), samples.values);
    equal(name + "_w64.w64", wave64(3, bits, samples.le_bytes), samples.values);
  }
  const Samples samples = integers(24);
  equal("s24_rf64.wav", rf64(1, 24, samples.le_bytes), samples.values);
  equal("s24_w64.w64", wave64(1, 24, samples.le_bytes), samples.values);
}
