// Configs in a folder of their own, and what the program says about them.
#pragma once

#include <torch/types.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "task/run_config.h"
#include "tests/problems.h"

namespace amae {

inline std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.line() + "\n";
  return text;
}

/// A folder with configs, planned with the plugins of this build.
class Configs {
 public:
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

  std::string write(const std::string& name, const std::string& text) const {
    write_file(path() / name, text);
    return (path() / name).string();
  }

  Plan plan(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return load_plan(write("config.yaml", text), overrides, {AMAE_BUILD_DIR "/plugins"});
  }

  /// The problems of a config, one line each.
  [[nodiscard]] std::string refused(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return text_of(problems_of([&] { plan(text, overrides); }));
  }

 private:
  TemporaryFolder folder_;
};

/// Small sounds as log-mel spectrograms.
inline const std::string kSmallData =
    "data: {name: synthetic_sounds, clips_per_class: 10, duration: 0.5, rate: 8 kHz}\n"
    "split: {by: fold, test: 5, val: 4}\n"
    "transforms:\n"
    "  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}\n"
    "  - {name: log}\n"
    "  - {name: standardize}\n";

/// The same with a network of one block: a run of a second.
inline const std::string kSmall = kSmallData +
                                  "model: {name: resnet, depths: [1], width: 8}\n"
                                  "train: {epochs: 2, batch_size: 16}\n"
                                  "log: {tensorboard: false}\n";

}  // namespace amae
