// What a config asks for and cannot have is told before a single clip is read.
#include "task/finetune.h"

#include "base/log.h"
#include "io/safetensors.h"
#include "task/evaluate_run.h"
#include "task/run_folder.h"
#include "testing.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// Runs a config in RUN/ of the folder.
bool run(const Configs& configs, const std::vector<std::string>& overrides, const std::string& folder = "run") {
  log::set_level(log::Level::warning);
  Plan plan = configs.plan(kSmall, overrides);
  return finetune(plan, {{"test"}, "cpu"}, [&] { return configs.path() / folder; });
}

std::string refused(const Configs& configs, const std::vector<std::string>& overrides) {
  return text_of(problems_of([&] { run(configs, overrides); }));
}

/// The cache is the first to read clips; "features" in a run's log would show it. Nothing of a checkpoint may be there.
void check_nothing_read(const Configs& configs) {
  CHECK_FALSE(fs::exists(configs.path() / "run/checkpoints"));
  const fs::path log_file = configs.path() / "run/log.txt";
  if (fs::exists(log_file)) CHECK_FALSE(contains(read_file(log_file), "cache "));
}

nlohmann::ordered_json json_of(const fs::path& file) { return nlohmann::ordered_json::parse(read_file(file)); }

}  // namespace

TEST_CASE("a run leaves model, figures and report, and its state is finished") {
  const Configs configs;
  REQUIRE(run(configs, {}));
  const fs::path folder = configs.path() / "run";
  CHECK(read_run_json(folder)["state"] == "finished");
  CHECK(read_run_json(folder)["results"]["test"]["count"] == 20);
  for (const char* file : {"config.yaml", "log.txt", "metrics.jsonl", "metrics.csv", "checkpoints/last/SHA256SUMS",
                           "checkpoints/best/SHA256SUMS", "eval/test/metrics.json", "plots/loss.svg"}) {
    INFO(file);
    CHECK(fs::exists(folder / file));
  }
}

TEST_CASE("a waveform into a model of spectrograms is refused before data is read, with both places") {
  const Configs configs;
  const std::string text = refused(configs, {"transforms=[{name: gain}]"});
  INFO(text);
  CHECK(contains(text, "config.yaml:7:"));  // the model
  CHECK(contains(text, "audio [1, 4000]"));
  CHECK(contains(text, "<argument 1>"));  // what gives it
  check_nothing_read(configs);
}

TEST_CASE("two transforms that do not fit are refused before data is read, with both places") {
  const Configs configs;
  const std::string text = refused(configs, {"transforms+={name: resample, rate: 4 kHz}"});
  INFO(text);
  CHECK(contains(text, "<argument 1>: transforms.resample.input"));
  CHECK(contains(text, "transforms.standardize at " + (configs.path() / "config.yaml").string() + ":6:"));
  check_nothing_read(configs);
}

TEST_CASE("a first transform that does not fit the data set is refused with both places") {
  const Configs configs;
  const std::string text = refused(configs, {"transforms=[{name: spec_augment}]"});
  INFO(text);
  CHECK(contains(text, "transforms.spec_augment.input"));
  CHECK(contains(text, "it comes from data at " + (configs.path() / "config.yaml").string() + ":1:"));
  check_nothing_read(configs);
}

TEST_CASE("a loss that does not fit the labels is refused before data is read") {
  const Configs configs;
  CHECK(contains(refused(configs, {"loss.name=binary"}), "loss.name"));
  check_nothing_read(configs);
}

TEST_CASE("a fold that the data set does not have is refused with those it has") {
  const Configs configs;
  const std::string one = refused(configs, {"split={by: fold, test: 9}"});
  CHECK(contains(one, "9"));
  CHECK(contains(one, "5"));
  CHECK(
      contains(refused(configs, {"split={by: fold}", "folds=[1, 7]"}), "got 7, expected all or some of 1, 2, 3, 4, 5"));
  check_nothing_read(configs);
}

TEST_CASE("weights to start from come from a run, and the head stays fresh where classes differ") {
  const Configs configs;
  REQUIRE(run(configs, {}));
  const std::string first = (configs.path() / "run").string();
  REQUIRE(run(configs, {"init_from=" + first, "optim={lr: 1e-12, weight_decay: 0}", "train.epochs=1"}, "second"));
  const TensorDict a = read_safetensors(configs.path() / "run/checkpoints/last/model.safetensors");
  const TensorDict b = read_safetensors(configs.path() / "second/checkpoints/last/model.safetensors");
  // 1e-6: Adam's steps are about the learning rate, 1e-12, and vanish in float32 but for weights near zero.
  CHECK(torch::allclose(a.at("encoder.conv1.weight"), b.at("encoder.conv1.weight"), 0, 1e-6));
  CHECK(torch::allclose(a.at("head.weight"), b.at("head.weight"), 0, 1e-6));
}

TEST_CASE("weights of which nothing fits are refused before data is read") {
  const Configs configs;
  write_safetensors(configs.path() / "w.safetensors", {{"encoder.other", torch::zeros({2})}});
  const std::string text = refused(configs, {"init_from=" + (configs.path() / "w.safetensors").string()});
  CHECK(contains(text, "init_from: got no tensor that fits this model"));
  check_nothing_read(configs);
  CHECK(contains(refused(Configs(), {"init_from=/nowhere/run"}), "/nowhere/run"));
}

TEST_CASE("cross-validation trains each fold and averages their test accuracies") {
  const Configs configs;
  REQUIRE(run(configs, {"split={by: fold}", "folds=[2, 4]", "train.epochs=1"}));
  const auto cv = json_of(configs.path() / "run/cv.json");
  double mean = 0;
  for (const char* fold : {"2", "4"}) {
    const auto metrics = json_of(configs.path() / "run/folds" / fold / "eval/test/metrics.json");
    CHECK(metrics["count"] == 20);
    mean += metrics["accuracy"].get<double>() / 2;
  }
  CHECK(cv["folds"] == nlohmann::ordered_json({2, 4}));
  CHECK(std::abs(cv["mean_accuracy"].get<double>() - mean) < 1e-12);
  CHECK(cv["count"] == 40);
  CHECK(cv["per_fold"].size() == 2);
}

TEST_CASE("evaluating a run gives the figures that the run gave itself") {
  const Configs configs;
  REQUIRE(run(configs, {"train.ema_decay=0.9", "transforms+={name: roll}", "eval.views=2"}));
  const fs::path folder = configs.path() / "run";
  const auto own = json_of(folder / "eval/test/metrics.json");
  const Plan plan = load_plan(folder / "config.yaml", {}, {AMAE_BUILD_DIR "/plugins"});
  const Metrics again = evaluate_run(plan, {{}, "cpu"}, folder, "test", configs.path() / "again", {});
  CHECK(again.accuracy == own["accuracy"].get<double>());
  CHECK(json_of(configs.path() / "again/metrics.json")["loss"] == own["loss"]);
  CHECK(read_file(configs.path() / "again/predictions.csv") == read_file(folder / "eval/test/predictions.csv"));
}

TEST_CASE("data of other classes than the bundle's is refused") {
  const Configs configs;
  REQUIRE(run(configs, {}));
  const fs::path sums = configs.path() / "run/checkpoints/last";
  auto bundle = json_of(sums / "bundle.json");
  bundle["classes"][0] = "something else";
  write_file(sums / "bundle.json", bundle.dump());
  write_checksums(sums);
  const Plan plan = configs.plan(kSmall);
  const auto problems = problems_of([&] { evaluate_run(plan, {{}, "cpu"}, configs.path() / "run", "test", {}, {}); });
  CHECK(contains(text_of(problems), "something else"));
}

TEST_CASE("a run does not go on with other data than it began with") {
  const Configs configs;
  REQUIRE(run(configs, {}));
  CHECK(read_run_json(configs.path() / "run")["dataset"]["items"] == 100);
  const std::string text = refused(configs, {"data.seed=2"});
  CHECK(contains(text, "dataset: got"));
  CHECK(contains(text, "as when this run began"));
}

TEST_CASE("two processes cannot train in one folder") {
  const Configs configs;
  fs::create_directories(configs.path() / "run");
  const FileLock lock(configs.path() / "run/.lock");
  CHECK_THROWS_AS(run(configs, {}), EnvironmentError);
}
