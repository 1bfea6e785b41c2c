// What the tests of the audio gate share: files of any bytes through `amae transform run`, and what must come of them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/cli/program.h"
#include "tests/io/sound_files.h"
#include "tests/problems.h"

namespace amae {

using Words = std::vector<std::string>;

/// What the program needs for a good file.
inline double usual_mib() {
  static const double usual = [] {
    const TemporaryFolder folder;
    sounds::write(folder.path() / "good.wav", sounds::wav(1, 1, 16'000, 16, sounds::saw16(1, 16'000)));
    const Outcome good = run_amae(
        {"transform", "run", "[]", folder.path() / "good.wav", "-o", folder.path() / "out.npy"}, folder.path());
    REQUIRE(good.exit == 0);
    return good.peak_mib;
  }();
  return usual;
}

/// Values of a float32 .npy file.
inline std::vector<float> values_of(const std::filesystem::path& npy) {
  const std::string bytes = read_file(npy);
  REQUIRE(contains(bytes, "'<f4'"));
  const size_t begin = 10 + static_cast<unsigned char>(bytes.at(8)) + 256U * static_cast<unsigned char>(bytes.at(9));
  std::vector<float> values((bytes.size() - begin) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + begin, values.size() * sizeof(float));
  return values;
}

/// A folder of files, and claims about what the program makes of them.
class Gate {
 public:
  ~Gate() {
    if (most_mib_ > 0) fmt::print("at most {:.2f} s and {:+.0f} MiB a file\n", slowest_s_, most_mib_ - usual_mib());
  }

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    sounds::write(path(name), bytes);
    return path(name);
  }

  Outcome transform(const std::filesystem::path& file, const std::string& chain) {
    std::filesystem::remove(path("out.npy"));
    Outcome run = run_amae({"transform", "run", chain, file, "-o", path("out.npy")}, folder_.path());
    UNSCOPED_INFO(file.filename() << ": exit " << run.exit << ", " << run.seconds << " s, " << run.peak_mib
                                  << " MiB, usually " << usual_mib() << "\n"
                                  << run.err);
    CHECK(run.peak_mib <= usual_mib() + 64);
    slowest_s_ = std::max(slowest_s_, run.seconds);
    most_mib_ = std::max(most_mib_, run.peak_mib);
    return run;
  }

  /// Exit 2, nothing on stdout, no output, and one line on stderr with the file and all these words.
  void refuses_file(const std::filesystem::path& file, Words words, const std::string& chain = "[]") {
    words.push_back(file.filename());
    check_refused(transform(file, chain), words);
    CHECK_FALSE(std::filesystem::exists(path("out.npy")));
  }
  void refuses(const std::string& name, const std::string& bytes, const Words& words, const std::string& chain = "[]") {
    refuses_file(put(name, bytes), words, chain);
  }

  /// Exit 0, no word on stderr but `warning`, and the values, all finite.
  std::vector<float> decodes(const std::string& name, const std::string& bytes, const std::string& chain = "[]",
                             const std::string& warning = "") {
    const Outcome run = transform(put(name, bytes), chain);
    CHECK(run.exit == 0);
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == (warning.empty() ? 0 : 1));
    CHECK(contains(run.err, warning));
    if (run.exit != 0) return {};
    std::vector<float> values = values_of(path("out.npy"));
    CHECK(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
    return values;
  }

  [[nodiscard]] std::string encoded(int format, int frames) const {
    return read_file(sounds::encode(path("encoded"), format, 1, frames));
  }

 private:
  TemporaryFolder folder_;
  double slowest_s_ = 0, most_mib_ = 0;
};

}  // namespace amae
