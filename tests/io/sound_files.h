// The bytes of sound_bytes.h as files, and files that libsndfile encodes.
#pragma once

#include <sndfile.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/io/sound_bytes.h"

namespace amae::sounds {

/// Not base/file.h's: thousands of small files need no fsync.
inline void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file written by libsndfile: a sine of 0.5 in each channel, of angular frequency 0.05 (channel + 1) a sample.
inline std::filesystem::path encode(const std::filesystem::path& path, int format, int channels, int frames,
                                    int rate = 16'000) {
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* const sound = sf_open(path.c_str(), SFM_WRITE, &info);
  REQUIRE(sound != nullptr);
  std::vector<float> samples;
  for (int n = 0; n < frames; ++n) {
    for (int c = 0; c < channels; ++c) samples.push_back(0.5F * std::sin(0.05F * static_cast<float>(n * (c + 1))));
  }
  CHECK(sf_writef_float(sound, samples.data(), frames) == frames);
  sf_close(sound);
  return path;
}

}  // namespace amae::sounds
