// What a config asks for and cannot have is told before a single clip is read.
#include "task/finetune.h"

#include <cstdlib>

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

/// $AMAE_CHECKPOINTS while it lives.
struct NamedBundles {
  explicit NamedBundles(fs::path folder) : path(std::move(folder)) { ::setenv("AMAE_CHECKPOINTS", path.c_str(), 1); }
  ~NamedBundles() { ::unsetenv("AMAE_CHECKPOINTS"); }
  fs::path path;
};

/// Eight rows of four clips: row r is the clip r % 4.
class Twins : public Dataset {
 public:
  [[nodiscard]] int64_t size() const override { return 8; }
  [[nodiscard]] std::string id(int64_t row) const override { return "row-" + std::to_string(row); }
  [[nodiscard]] Signal load(int64_t /*row*/) const override { return {torch::zeros({1, 16}), 8000.0}; }
  [[nodiscard]] Spec spec() const override { return {Domain::audio, {1, 16}, 8000.0}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return torch::arange(8, torch::kInt64).remainder(2); }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return std::to_string(row % 4); }

 private:
  std::vector<std::string> classes_ = {"a", "b"};
};

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

TEST_CASE("early stopping on a figure that is never written is refused with its place, before anything is trained") {
  const Configs configs;
  const std::string text = refused(configs, {"train.early_stopping.metric=val/acuracy"});
  CHECK(contains(text, "<argument 1>: train.early_stopping.metric: got val/acuracy, expected one of"));
  CHECK_FALSE(fs::exists(configs.path() / "run/checkpoints"));
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
  CHECK(contains(text, "w.safetensors: got no tensor that fits this model"));
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

TEST_CASE("a cross-validation starts each fold from the bundle of the same fold and keeps it under its own name") {
  const Configs configs;
  const NamedBundles bundles(configs.path() / "named");
  const std::vector<std::string> folds = {"split={by: fold}", "folds=[2, 4]", "train.epochs=1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), folds.begin(), folds.end());
    return more;
  };
  REQUIRE(run(configs, with({"save_as=first_{fold}"}), "one"));
  for (const char* name : {"first_2", "first_4"}) {
    INFO(name);
    CHECK(fs::exists(bundles.path / name / "bundle.json"));
    CHECK_FALSE(fs::exists(bundles.path / name / "optim.safetensors"));
  }
  const std::vector<std::string> still = {"optim={lr: 1e-12, weight_decay: 0}"};
  REQUIRE(run(configs, with({"init_from=first_{fold}", still[0]}), "by_name"));
  REQUIRE(run(configs, with({"init_from=" + (configs.path() / "one/folds/{fold}").string(), still[0]}), "by_path"));
  for (const char* folder : {"by_name", "by_path"}) {
    for (const char* fold : {"2", "4"}) {
      INFO(folder << " fold " << fold);
      const auto weights = [&](const char* run) {
        return read_safetensors(configs.path() / run / "folds" / fold / "checkpoints/last/model.safetensors");
      };
      CHECK(torch::allclose(weights(folder).at("head.weight"), weights("one").at("head.weight"), 0, 1e-6));
    }
  }
  const std::string whole = refused(configs, with({"init_from=" + (configs.path() / "one").string()}));
  CHECK(contains(whole, "got a cross-validation"));
  CHECK(contains(whole, (configs.path() / "one/folds/{fold}").string()));
}

TEST_CASE("a fold's name where there are no folds, and one name for all folds, are refused with their places") {
  const Configs configs;
  CHECK(contains(refused(configs, {"init_from=a_{fold}"}), "<argument 1>: init_from: got {fold}"));
  CHECK(contains(refused(configs, {"save_as=a_{fold}"}), "<argument 1>: save_as: got {fold}"));
  CHECK(contains(refused(configs, {"split={by: fold}", "folds=all", "save_as=a"}),
                 "<argument 3>: save_as: got one name"));
  CHECK(contains(refused(configs, {"save_as=a/b"}), "expected a plain name"));
  CHECK(contains(refused(configs, {"save_as=.."}), "expected a plain name"));
  CHECK_FALSE(fs::exists(configs.path() / "run"));
}

TEST_CASE("weights that know rows of the test split are refused with their number, and before data is read") {
  const Configs configs;
  REQUIRE(run(configs, {"split={test: 4, val: []}", "train.epochs=1"}, "first"));  // trains on 1, 2, 3 and 5
  const std::string from = (configs.path() / "first").string();
  const std::string text = refused(configs, {"init_from=" + from});  // tests on 5
  INFO(text);
  CHECK(contains(text, "error[LEAK]: " + from));
  CHECK(contains(text, "got 20 of 20 test rows among those that trained it"));
  check_nothing_read(configs);
  fs::remove_all(configs.path() / "run");
  CHECK(contains(refused(configs, {"init_from=" + from, "split={test: [4, 5], val: []}"}), "got 20 of 40 test rows"));
  fs::remove_all(configs.path() / "run");
  CHECK(run(configs, {"init_from=" + from, "split={test: 4, val: []}", "train.epochs=1"}));  // the same test fold
}

TEST_CASE("a loss that does not fit the labels is refused by what trains with it alone") {
  const Configs configs;
  const auto opened = [&](const char* task) {
    const Plan plan = configs.plan(kSmall, {std::string("task=") + task, "loss.name=binary"});
    return text_of(problems_of([&] { open_dataset(plan); }));
  };
  CHECK(contains(opened("finetune"), "loss.name: got binary for a data set with one label a row"));
  CHECK(opened("evaluate").empty());
  CHECK(opened("probe").empty());
}

TEST_CASE("test rows that trained a bundle are named, and clips that the data set holds twice are told as such") {
  const Configs configs;
  const Plan plan = configs.plan(kSmall);
  const Twins twins;
  const fs::path bundle = configs.path() / "bundle";
  fs::create_directories(bundle);
  write_file(bundle / "bundle.json", "{}");
  write_trained_on(bundle, marks_of(twins, {0, 1, 2, 3}));
  const auto text = [&](const std::vector<int64_t>& train, const std::vector<int64_t>& test) {
    return text_of(problems_of([&] { refuse_leak(plan, twins, test, bundle.string(), train); }));
  };
  const std::string whole = text({0, 1, 2, 3}, {4, 5, 6, 7});
  CHECK(contains(whole, "got 4 of 4 test rows among those that trained it (row-4, row-5, row-6, …), expected none"));
  CHECK(contains(whole, "the data set holds these clips twice, in train and in test"));
  CHECK(contains(text({0, 1, 2}, {4, 7}), "(row-4, row-7), expected none; train it with the same split"));
}

TEST_CASE("what trained a bundle is told of every bundle that grew out of it") {
  const Configs configs;
  const auto fold = [&](const char* test, const std::string& name, const std::string& from) {
    std::vector<std::string> overrides = {std::string("split={test: ") + test + ", val: []}", "train.epochs=1"};
    if (!from.empty()) overrides.push_back("init_from=" + (configs.path() / from).string());
    return run(configs, overrides, name);
  };
  REQUIRE(fold("[3, 4, 5]", "first", ""));     // trains on 1 and 2
  REQUIRE(fold("[4, 5]", "second", "first"));  // and on 3
  CHECK(read_trained_on(configs.path() / "second/checkpoints/last").size() == 60);
  REQUIRE(run(configs,
              {"split={test: 5, val: [1, 2]}", "train.epochs=1", "init_from=" + (configs.path() / "second").string()},
              "third"));  // trains on 3 and 4 alone
  CHECK(read_trained_on(configs.path() / "third/checkpoints/last").size() == 80);
  CHECK(contains(text_of(problems_of([&] { fold("1", "fourth", "third"); })), "got 20 of 20 test rows"));
}

TEST_CASE("evaluating on test rows that trained the bundle is refused, on its training rows it is not") {
  const Configs configs;
  REQUIRE(run(configs, {"split={test: 4, val: []}", "train.epochs=1"}));
  const Plan other = configs.plan(kSmall);  // tests on 5
  const auto evaluated = [&](const char* split) {
    return text_of(problems_of([&] { evaluate_run(other, {{}, "cpu"}, configs.path() / "run", split, {}, {}); }));
  };
  CHECK(contains(evaluated("test"), "error[LEAK]"));
  CHECK(contains(evaluated("test"), "got 20 of 20 test rows"));
  CHECK(evaluated("train").empty());
  CHECK(evaluated("all").empty());

  const fs::path bundle = configs.path() / "run/checkpoints/last";  // of one that says nothing nobody knows
  fs::remove(bundle / "trained_on.safetensors");
  write_checksums(bundle);
  CHECK(evaluated("test").empty());
}

TEST_CASE("a resumed run knows what it started from, though that is gone") {
  const Configs configs;
  REQUIRE(run(configs, {"split={test: [3, 4, 5], val: []}", "train.epochs=1"}, "first"));
  const std::vector<std::string> more = {"split={test: [4, 5], val: [1, 2]}",
                                         "init_from=" + (configs.path() / "first").string()};
  REQUIRE(run(configs, more));
  fs::remove_all(configs.path() / "first");
  REQUIRE(run(configs, more));
  CHECK(read_trained_on(configs.path() / "run/checkpoints/last").size() == 60);
  CHECK(read_trained_on(configs.path() / "run/checkpoints/best").size() == 60);
}

TEST_CASE("frozen layer groups keep the weights they were given; more than there are is refused with the place") {
  const Configs configs;
  REQUIRE(run(configs, {"train.epochs=1"}, "first"));
  const std::string from = "init_from=" + (configs.path() / "first").string();
  REQUIRE(run(configs, {from, "train.freeze=-1", "train.ema_decay=0.9"}));
  const TensorDict a = read_safetensors(configs.path() / "first/checkpoints/last/model.safetensors");
  for (const char* file : {"model.safetensors", "ema.safetensors"}) {
    for (const auto& [name, tensor] : read_safetensors(configs.path() / "run/checkpoints/last" / file)) {
      INFO(file << " " << name);
      CHECK(torch::equal(tensor, a.at(name)) == name.starts_with("encoder."));
    }
  }
  const std::string text = refused(configs, {from, "train.freeze=99"});
  CHECK(contains(text, "<argument 2>: train.freeze: got 99 layer groups"));
}
