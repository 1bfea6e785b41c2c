// Sections of long recordings are found by seeking. That they equal their part of the whole: audio_gate_test.cpp.
#include <sndfile.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "amae/draw.h"
#include "base/file.h"
#include "io/audio.h"

using namespace amae;

namespace {

constexpr int kRate = 16'000, kMinutes = 10;

/// Ten minutes of noise, which no codec makes small.
std::filesystem::path long_recording(const std::filesystem::path& path, int format) {
  SF_INFO info{};
  info.samplerate = kRate;
  info.channels = 1;
  info.format = format;
  SNDFILE* const sound = sf_open(path.c_str(), SFM_WRITE, &info);
  REQUIRE(sound != nullptr);
  Draw draw(1, 0, 0, 0);
  std::vector<float> second(kRate);
  for (int i = 0; i < 60 * kMinutes; ++i) {
    for (float& sample : second) sample = static_cast<float>(draw.uniform(-0.5, 0.5));
    REQUIRE(sf_writef_float(sound, second.data(), kRate) == kRate);
  }
  sf_close(sound);
  return path;
}

/// Bytes that this process has read from files so far.
uint64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "rchar:") return value;
  }
  return 0;
}

}  // namespace

TEST_CASE("one second of a long recording costs a small part of the file's bytes") {
  if (bytes_read() == 0) SKIP("this system does not count bytes read");
  const TemporaryFolder folder;
  for (const auto& [name, format] : {std::pair("long.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16),
                                     std::pair("long.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16),
                                     std::pair("long.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS)}) {
    const auto path = long_recording(folder.path() / name, format);
    const auto size = static_cast<double>(std::filesystem::file_size(path));
    const uint64_t before = bytes_read();
    const Signal section = read_audio(path, 7 * 60 * kRate + 123, kRate);
    const auto read = static_cast<double>(bytes_read() - before);
    CHECK(section.samples.sizes() == at::IntArrayRef({1, kRate}));
    // A second is 1/600 of the file; the rest are the decoder's blocks while it searches, and for Ogg the pages at the
    // end.
    INFO(name << ": " << read << " of " << size << " bytes");
    CHECK(read < 0.2 * size);
    std::cout << name << ": " << read << " of " << size << " bytes read\n";
  }
}
