// on_bad_sample: what cannot be read stops a run, or is left out, counted and listed.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/cli/program.h"
#include "tests/io/sound_bytes.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// Twelve recordings, of which one is missing, one is cut off and one is no sound.
class BadSamples {
 public:
  BadSamples() {
    std::ofstream(path("config.yaml")) << R"(
data: {name: audio_csv, file: t.csv, on_bad_sample: skip}
split: {by: fold, test: 2}
transforms:
  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16, f_min: 50 Hz, f_max: 8 kHz}
  - {name: log}
model: {name: resnet, depths: [1], width: 8}
train: {epochs: 2, batch_size: 4}
log: {tensorboard: false}
)";
    std::string table = "path,label,fold\n";
    for (const char* label : {"x", "y"}) {
      for (int i = 0; i < 6; ++i) {
        const auto name = fmt::format("{}{}.wav", label, i);
        table += fmt::format("{},{},{}\n", name, label, 1 + i / 4);
        put(name, sounds::wav(1, 1, 16'000, 16, sounds::saw16(1, 1'600)));
      }
    }
    put("t.csv", table);
    good_wave_ = content_of(path("x1.wav"));
    fs::remove(path("x1.wav"));
    put("x4.wav", good_wave_.substr(0, 1'000));
    put("y2.wav", "this is no sound");
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  [[nodiscard]] Outcome amae(const std::vector<std::string>& arguments) const {
    Outcome outcome = run_amae(arguments, folder_.path(), 60);
    UNSCOPED_INFO("exit " << outcome.exit << "\n" << outcome.err);
    return outcome;
  }
  [[nodiscard]] Outcome run(const std::string& name, std::vector<std::string> overrides = {}) const {
    fs::remove_all(path(name));
    overrides.insert(overrides.begin(), {"run", path("config.yaml"), "--out", path(name), "--quiet"});
    return amae(overrides);
  }
  [[nodiscard]] nlohmann::json json(const std::string& name) const {
    return nlohmann::json::parse(content_of(path(name)));
  }
  /// The figures of a run, without what the clock decides.
  [[nodiscard]] std::vector<nlohmann::json> figures(const std::string& name) const {
    std::vector<nlohmann::json> all;
    std::ifstream file(path(name + "/metrics.jsonl"));
    for (std::string line; std::getline(file, line);) {
      auto figure = nlohmann::json::parse(line);
      if (figure.at("split") == "system") continue;
      figure.erase("wall");
      all.push_back(std::move(figure));
    }
    return all;
  }

 protected:
  std::string good_wave_;

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(BadSamples, "with error, all that is bad stops the run before it begins") {
  const Outcome outcome = run("run", {"data.on_bad_sample=error"});
  CHECK(outcome.exit == 2);
  CHECK(contains(outcome.err, "1 of 12 files is missing: x1.wav"));
  CHECK(contains(outcome.err, "x4.wav"));
  CHECK(contains(outcome.err, "y2.wav"));
  CHECK_FALSE(fs::exists(path("run")));
}

TEST_CASE_METHOD(BadSamples, "with skip, bad samples are in no split, warned of once and listed, whatever the cache") {
  for (const std::string mode : {"ram", "disk", "disk", "off"}) {  // the second "disk" finds what the first has kept
    INFO(mode);
    const Outcome outcome = run(mode, {"cache.mode=" + mode});
    REQUIRE(outcome.exit == 0);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(contains(outcome.err, "warning: 3 of 12 samples cannot be read and are left out: x1.wav, x4.wav, y2.wav"));
    const auto bad = json(mode + "/run.json").at("bad_samples");
    CHECK(bad.at("count") == 3);
    CHECK(bad.at("list").at(0).at("id") == "x1.wav");
    CHECK(contains(bad.at("list").at(1).at("problem"), "truncated file"));
    CHECK(contains(bad.at("list").at(2).at("problem"), "y2.wav"));
    const auto predictions = content_of(path(mode + "/eval/test/predictions.csv"));
    CHECK(std::count(predictions.begin(), predictions.end(), '\n') == 4);  // a header and x5, y4, y5
    CHECK_FALSE(contains(predictions, "x4"));
    CHECK(figures(mode) == figures("ram"));
  }
}

TEST_CASE_METHOD(BadSamples, "a table without its bad rows trains to the same figures") {
  REQUIRE(run("skipped").exit == 0);
  // Equal but for the sample ids that random transforms draw from, and this config has none; the order of the rows is
  // drawn from their number in the split.
  std::string table;
  std::ifstream file(path("t.csv"));
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("x1") && !line.starts_with("x4") && !line.starts_with("y2")) table += line + "\n";
  }
  file.close();
  put("t.csv", table);
  REQUIRE(run("clean").exit == 0);
  CHECK(figures("clean") == figures("skipped"));
  CHECK(json("clean/run.json").at("bad_samples").at("count") == 0);
}

TEST_CASE_METHOD(BadSamples, "a repaired file is taken up, also with a disk cache that was made without it") {
  REQUIRE(run("before", {"cache.mode=disk"}).exit == 0);
  put("x1.wav", good_wave_);
  const Outcome outcome = run("after", {"cache.mode=disk"});
  CHECK(outcome.exit == 0);
  CHECK(contains(outcome.err, "2 of 12 samples"));
  put("x4.wav", good_wave_);
  put("y2.wav", good_wave_);
  CHECK(run("all", {"cache.mode=disk", "data.on_bad_sample=error"}).exit == 0);
}

TEST_CASE_METHOD(BadSamples, "a class or split that loses all its samples is refused with the reason") {
  for (const char* name : {"x0.wav", "x2.wav", "x3.wav"}) put(name, "bad");
  const Outcome no_class = run("run");
  CHECK(no_class.exit == 2);
  CHECK(contains(no_class.err, "class x has no row to train on (train 0, val 0, test 1)"));
  CHECK(contains(no_class.err, "6 of 12 samples cannot be read"));
  for (const char* name : {"x5.wav", "y4.wav", "y5.wav"}) put(name, "bad");
  for (const char* name : {"x0.wav", "x2.wav", "x3.wav"}) put(name, good_wave_);
  const Outcome no_test = run("run");
  CHECK(no_test.exit == 2);
  CHECK(contains(no_test.err, ": test: test is empty"));
}

TEST_CASE_METHOD(BadSamples, "cross-validation and evaluate leave bad samples out too") {
  const Outcome outcome = run("cv", {"folds=all", "train.epochs=1"});
  CHECK(outcome.exit == 0);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(json("cv/folds/1/run.json").at("bad_samples").at("count") == 3);
  CHECK(json("cv/cv.json").at("count") == 9);
  const Outcome evaluated = amae({"evaluate", path("cv/folds/1"), "--split", "all", "--quiet"});
  CHECK(evaluated.exit == 0);
  CHECK(json("cv/folds/1/eval/all/metrics.json").at("bad_samples").at("count") == 3);
  CHECK(json("cv/folds/1/eval/all/metrics.json").at("count") == 9);
}

}  // namespace
