// What the tests of hostile radio files share: `amae data` over a file, and what it may cost.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tests/cli/program.h"

namespace amae {

/// One data set; begins with a good file, whose cost is the usual one.
class RadioGate {
 public:
  using Words = std::vector<std::string>;

  /// `option` takes the file, `more` are further words of the data set.
  RadioGate(std::string data_set, std::string option, const std::filesystem::path& good, Words more = {})
      : data_set_(std::move(data_set)), option_(std::move(option)), more_(std::move(more)), usual_(info(good)) {
    INFO(usual_.err);
    REQUIRE(usual_.exit == 0);
    REQUIRE(usual_.err.empty());
  }
  ~RadioGate() {
    fmt::print("usually {:.2f} s of CPU and {:.0f} MiB; at most {:+.2f} s and {:+.0f} MiB a file\n", usual_.cpu_s,
               usual_.peak_mib, most_s_, most_mib_);
  }
  RadioGate(const RadioGate&) = delete;
  RadioGate& operator=(const RadioGate&) = delete;

  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::filesystem::path put(const std::string& bytes) const {
    write_file(path("hostile"), bytes);
    return path("hostile");
  }

  /// `amae data VERB` over a file.
  [[nodiscard]] Outcome run(const std::string& verb, const std::filesystem::path& file,
                            const Words& options = {}) const {
    Words words = {"data", verb, data_set_, option_ + "=" + file.string()};
    words.insert(words.end(), more_.begin(), more_.end());
    words.insert(words.end(), options.begin(), options.end());
    return run_amae(words, folder_.path(), 60);
  }
  [[nodiscard]] Outcome info(const std::filesystem::path& file) const { return run("info", file); }

  /// No more than the good file, but for so much.
  void check_cost(const Outcome& outcome, double most_mib = 64, double most_s = 2) {
    CHECK(outcome.peak_mib <= usual_.peak_mib + most_mib);
    CHECK(outcome.cpu_s <= usual_.cpu_s + most_s);
    most_mib_ = std::max(most_mib_, outcome.peak_mib - usual_.peak_mib);
    most_s_ = std::max(most_s_, outcome.cpu_s - usual_.cpu_s);
  }

  /// Exit 2, one line with the file's name and all these words, and M10: 64 MiB and 2 s of CPU at most.
  void refuses_file(const std::filesystem::path& file, Words words, double most_mib = 64) {
    words.push_back(file.filename());
    const Outcome outcome = info(file);
    check_refused(outcome, words);
    check_cost(outcome, most_mib);
  }
  void refuses(const std::string& bytes, const Words& words, double most_mib = 64) {
    refuses_file(put(bytes), words, most_mib);
  }

 private:
  std::string data_set_, option_;
  Words more_;
  TemporaryFolder folder_;
  Outcome usual_;
  double most_mib_ = 0, most_s_ = 0;
};

}  // namespace amae
