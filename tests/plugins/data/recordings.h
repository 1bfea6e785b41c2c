// A folder of small recordings, and tables about them.
#pragma once

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/audio.h"
#include "tests/problems.h"

namespace amae {

class Recordings {
 public:
  [[nodiscard]] std::filesystem::path root() const { return folder_.path() / "data"; }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return root() / name; }

  /// 8 kHz mono; sample n is (n + offset) / 32768, so that every sample tells where it came from.
  void sound(const std::string& name, int64_t samples = 800, int64_t offset = 0, double rate_hz = 8000) const {
    std::filesystem::create_directories(path(name).parent_path());
    const auto ramp = (at::arange(samples, at::kFloat) + static_cast<double>(offset)).remainder(32768) / 32768.0;
    write_wav(path(name), ramp.unsqueeze(0), rate_hz);
  }
  /// Gives the path of the file.
  std::string text(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name).string();
  }

 private:
  TemporaryFolder folder_;
};

/// Offset in the recording of a signal's first sample.
inline int64_t first_sample(const at::Tensor& samples) {
  return static_cast<int64_t>(samples[0][0].item<double>() * 32768.0 + 0.5);
}

#define CHECK_SAYS(text, part)     \
  do {                             \
    const std::string said = text; \
    INFO(said);                    \
    CHECK(contains(said, part));   \
  } while (false)

inline bool says(const Problem& problem, const std::string& text) { return contains(problem.line(), text); }

}  // namespace amae
