// What the tests of the audio gate share: bytes as a file, and what both readers say of it.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/audio.h"
#include "tests/base/support.h"
#include "tests/io/sound_files.h"

#define CHECK_HOLDS(text, part)  \
  do {                           \
    INFO(text);                  \
    CHECK(contains(text, part)); \
  } while (false)

namespace amae::sounds {

inline int saw(int channel, int64_t frame) { return static_cast<int>(frame * 7 % 100) - 50 + channel; }

class Gate {
 public:
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    write(path(name), bytes);
    return path(name);
  }
  /// What the header's reader says of these bytes; the whole reader must refuse them too.
  [[nodiscard]] std::string refused(const std::string& bytes) const {
    const auto file = put("sound", bytes);
    const Problem problem = refusal([&] { read_audio(file); });
    CHECK(problem.code == "AUDIO");
    CHECK(problem.where == file.string());
    CHECK(refusal([&] { audio_info(file); }).message == problem.message);
    return problem.message;
  }
  /// What only a decode of the whole finds.
  [[nodiscard]] std::string refused_whole(const std::string& bytes) const {
    const auto file = put("sound", bytes);
    CHECK(problems_of([&] { audio_info(file); }).empty());
    return refusal([&] { read_audio(file); }).message;
  }
  [[nodiscard]] std::string encoded(int format, int frames) const {
    return read_file(sounds::encode(path("encoded"), format, 1, frames));
  }
  [[nodiscard]] std::vector<OggPage> vorbis(int frames = 200'000) const {
    return ogg_pages(encoded(SF_FORMAT_OGG | SF_FORMAT_VORBIS, frames));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace amae::sounds
