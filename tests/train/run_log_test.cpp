#include "train/run_log.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/file.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kAll = 1 << 30;

/// Two epochs of ten steps.
void write_two_epochs(const fs::path& run) {
  RunLog log(run, false, 0);
  log.add(10, 0, "train", "loss", 1.5);
  log.add(10, 0, "val", "accuracy", 0.25);
  log.flush();
  log.add(20, 1, "train", "loss", 0.1);
  log.add(20, 1, "test", "accuracy", 0.75);
  log.flush();
}

}  // namespace

TEST_CASE("each record is one JSON line with wall, step, epoch, split, name and value") {
  const TemporaryFolder run;
  write_two_epochs(run.path());
  std::ifstream file(run.path() / "metrics.jsonl");
  std::string line;
  std::vector<nlohmann::json> lines;
  while (std::getline(file, line)) lines.push_back(nlohmann::json::parse(line));
  REQUIRE(lines.size() == 4);
  CHECK(lines[2].size() == 6);
  CHECK(lines[2]["step"] == 20);
  CHECK(lines[2]["epoch"] == 1);
  CHECK(lines[2]["split"] == "train");
  CHECK(lines[2]["name"] == "loss");
  CHECK(lines[2]["value"] == 0.1);
  CHECK(lines[2]["wall"] > 1e9);
}

TEST_CASE("a value survives the file to its last bit") {
  const TemporaryFolder run;
  const double value = 1.0 / 3.0 + 1e-16;
  {
    RunLog log(run.path(), false, 0);
    log.add(1, 0, "train", "loss", value);
    log.flush();
  }
  CHECK(read_metrics(run.path() / "metrics.jsonl").at(0).value == value);
}

TEST_CASE("a value that is not a number reads back as one that is not") {
  const TemporaryFolder run;
  RunLog log(run.path(), false, 0);
  log.add(1, 0, "val", "loss", std::nan(""));
  log.flush();
  const auto metrics = read_metrics(run.path() / "metrics.jsonl");
  REQUIRE(metrics.size() == 1);
  CHECK(std::isnan(metrics[0].value));
}

TEST_CASE("metrics.csv has a row an epoch and its columns in order of first appearance") {
  const TemporaryFolder run;
  write_two_epochs(run.path());
  CHECK(read_file(run.path() / "metrics.csv") ==
        "epoch,step,train/loss,val/accuracy,test/accuracy\n"
        "0,10,1.5,0.25,\n"
        "1,20,0.1,,0.75\n");
}

TEST_CASE("nothing is written before flush") {
  const TemporaryFolder run;
  RunLog log(run.path(), false, 0);
  log.add(1, 0, "train", "loss", 1);
  CHECK(read_metrics(run.path() / "metrics.jsonl").empty());
  log.flush();
  CHECK(read_metrics(run.path() / "metrics.jsonl").size() == 1);
}

TEST_CASE("wherever a kill tore the last line, the lines before it stay and the log goes on") {
  const TemporaryFolder run;
  write_two_epochs(run.path());
  const fs::path file = run.path() / "metrics.jsonl";
  const std::string whole = read_file(file);
  const size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (size_t cut = last; cut < whole.size(); ++cut) {
    INFO("cut at byte " << cut << " of " << whole.size());
    write_file(file, whole.substr(0, cut));
    RunLog log(run.path(), false, kAll);
    REQUIRE(log.all().size() == 3);
    log.add(20, 1, "test", "accuracy", 0.75);
    log.flush();
    const auto metrics = read_metrics(file);
    REQUIRE(metrics.size() == 4);
    REQUIRE(metrics.back().name == "accuracy");
  }
}

TEST_CASE("a resumed log forgets what came after the checkpoint and holds each record once") {
  const TemporaryFolder run;
  write_two_epochs(run.path());
  {
    RunLog log(run.path(), false, 1);  // the checkpoint is within epoch 1, which will end again
    CHECK(log.all().size() == 2);
    log.add(20, 1, "train", "loss", 0.1);
    log.add(20, 1, "test", "accuracy", 0.75);
    log.flush();
  }
  std::set<std::tuple<int64_t, std::string, std::string>> seen;
  for (const Metric& m : read_metrics(run.path() / "metrics.jsonl")) {
    INFO(m.step << " " << m.split << "/" << m.name);
    CHECK(seen.insert({m.step, m.split, m.name}).second);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("the wall time of kept records is kept") {
  const TemporaryFolder run;
  write_two_epochs(run.path());
  const std::string before = read_file(run.path() / "metrics.jsonl");
  { const RunLog log(run.path(), false, kAll); }
  CHECK(read_file(run.path() / "metrics.jsonl") == before);
}

TEST_CASE("TensorBoard gets an event file when asked, and none otherwise") {
  const TemporaryFolder with, without;
  for (const auto* run : {&with, &without}) {
    RunLog log(run->path(), run == &with, 0);
    log.add(1, 0, "train", "loss", 1);
    log.flush();
  }
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(with.path() / "tb")) files += entry.file_size() > 20 ? 1 : 0;
  CHECK(files == 1);
  CHECK_FALSE(fs::exists(without.path() / "tb"));
}

TEST_CASE("pictures are kept and dropped with the records of their epochs, in TensorBoard too") {
  const TemporaryFolder run;
  const torch::Tensor picture = torch::zeros({40, 60, 3}, torch::kByte);
  {
    RunLog log(run.path(), true, 0);
    for (int64_t epoch = 0; epoch < 2; ++epoch) {
      log.image(10 * epoch, epoch, "reconstruction", picture);
      log.add(10 * epoch, epoch, "train", "loss", 1);
    }
    log.flush();
  }
  const fs::path pictures = run.path() / "pictures";
  CHECK(fs::exists(pictures / "reconstruction-0001.png"));
  CHECK(fs::exists(pictures / "reconstruction-0002.png"));
  write_file(pictures / "notes.txt", "mine");
  write_file(pictures / "photo-0001.png", "no PNG");
  { const RunLog log(run.path(), true, 1); }
  CHECK(fs::exists(pictures / "reconstruction-0001.png"));
  CHECK_FALSE(fs::exists(pictures / "reconstruction-0002.png"));
  CHECK(fs::exists(pictures / "notes.txt"));
  size_t found = 0;
  for (const auto& entry : fs::directory_iterator(run.path() / "tb")) {
    const std::string events = read_file(entry.path());
    for (size_t at = events.find("IHDR"); at != std::string::npos; at = events.find("IHDR", at + 1)) ++found;
  }
  CHECK(found == 1);
}

TEST_CASE("a missing metrics file is an empty log") { CHECK(read_metrics("/nowhere/metrics.jsonl").empty()); }
