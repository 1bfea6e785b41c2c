#include "task/probe.h"

#include "base/log.h"
#include "io/audio.h"
#include "task/finetune.h"
#include "task/run_folder.h"
#include "testing.h"
#include "train/features.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// kSmall's data and front end; clips' statistics, two methods.
const std::string kProbe = "task: probe\n" + kSmallData + "model: mel_stats\n";

const std::vector<std::string> kResNet = {"model={name: resnet, depths: [1], width: 8}"};

nlohmann::ordered_json read_json(const fs::path& file) { return nlohmann::ordered_json::parse(read_file(file)); }

class Probes {
 public:
  Probes() { log::set_level(log::Level::error); }
  ~Probes() { log::set_level(log::Level::warning); }
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  /// Runs in FOLDER of the scratch folder.
  bool go(const std::string& folder, const std::vector<std::string>& overrides, const std::string& config = kProbe) {
    plan = configs.plan(config, overrides);
    return amae::probe(*plan, {{"test"}, "cpu"}, [&] { return at(folder); });
  }
  void probe(const std::string& folder, const std::vector<std::string>& overrides = {},
             const std::string& config = kProbe) {
    REQUIRE(go(folder, overrides, config));
  }
  void finetune(const std::string& folder, const std::vector<std::string>& overrides = {}) {
    Plan other = configs.plan(kSmall, overrides);
    REQUIRE(amae::finetune(other, {{"test"}, "cpu"}, [&] { return at(folder); }));
  }
  std::string refused(const std::vector<std::string>& overrides) {
    return text_of(problems_of([&] { go("refused", overrides); }));
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return configs.path() / name; }
  [[nodiscard]] double accuracy(const std::string& folder, const std::string& method,
                                const std::string& split = "test") const {
    return read_json(at(folder) / "probe.json")["methods"][method][split]["accuracy"];
  }

  Configs configs;
  std::optional<Plan> plan;
};

std::vector<std::string> with(std::vector<std::string> words, const std::string& word) {
  words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE_METHOD(Probes, "a probe leaves the figures of every method and split, and no model") {
  probe("run", {"eval.splits=[val, test]"});
  const fs::path run = at("run");
  const auto figures = read_json(run / "probe.json");
  CHECK(figures["features"] == 32);  // 16 means, 16 deviations
  CHECK(figures["gallery"] == 60);
  for (const char* method : {"knn", "linear"}) {
    for (const char* split : {"val", "test"}) {
      CHECK(figures["methods"][method][split]["count"] == 20);
      CHECK(figures["methods"][method][split]["accuracy_95"].size() == 2);
    }
  }
  CHECK(read_json(run / "eval/test/metrics.json")["method"] == "knn");
  CHECK(read_json(run / "eval/test/metrics.json")["accuracy"] == figures["methods"]["knn"]["test"]["accuracy"]);
  CHECK(read_json(run / "eval/val-linear/metrics.json")["method"] == "linear");
  CHECK(fs::exists(run / "eval/test/predictions.csv"));
  CHECK(read_run_json(run)["state"] == "finished");
  CHECK(read_run_json(run)["results"]["test"]["accuracy"] == figures["methods"]["knn"]["test"]["accuracy"]);
  CHECK_FALSE(fs::exists(run / "checkpoints"));
  CHECK(contains(read_file(run / "log.txt"), "linear  accuracy"));
}

TEST_CASE_METHOD(Probes, "pooled statistics know more of the sounds than chance, and the same twice") {
  probe("one", {"data.clips_per_class=40"});
  CHECK(accuracy("one", "linear") > 0.3);  // chance is 0.1, 80 clips: five deviations are 0.17
  CHECK(accuracy("one", "knn") > 0.3);
  probe("two", {"data.clips_per_class=40", "train.eval_batch_size=7", "train.workers=2"});
  CHECK(read_file(at("one/eval/test/predictions.csv")) == read_file(at("two/eval/test/predictions.csv")));
}

TEST_CASE_METHOD(Probes, "the first method's report is the run's") {
  probe("run", {"probe.methods=[linear]"});
  CHECK(read_json(at("run/eval/test/metrics.json"))["method"] == "linear");
  CHECK_FALSE(read_json(at("run/probe.json"))["methods"].contains("knn"));
  CHECK(contains(refused({"probe.methods=[]"}), "probe.methods"));
  CHECK(contains(refused({"probe.methods=[knn, knn]"}), "each once"));
}

TEST_CASE_METHOD(Probes, "the gallery of the training split knows itself") {
  probe("run", {"eval.splits=[train]", "probe.knn.k=1"});
  CHECK(accuracy("run", "knn", "train") == 1);
}

TEST_CASE_METHOD(Probes, "a probe of a run judges the features of that run's encoder, whose weights stay") {
  finetune("trained");
  const std::string before = read_file(at("trained/checkpoints/last/SHA256SUMS"));
  probe("run", with(kResNet, "init_from=" + at("trained").string()));
  CHECK(read_file(at("trained/checkpoints/last/SHA256SUMS")) == before);

  const Bundle bundle = load_bundle(bundle_folder(at("trained")), *plan->registry);
  const auto dataset = plan->registry->make_dataset(plan->config.data);
  const auto features = [&](int64_t first, int64_t last) {  // 10 rows a clip number, folds 1..5 in turn
    std::vector<torch::Tensor> parts;
    for (int64_t row = 0; row < dataset->size(); ++row) {
      const int64_t fold = dataset->folds()[static_cast<size_t>(row)];
      if (fold < first || fold > last) continue;
      parts.push_back(features_of(*bundle.model, *bundle.pipeline, bundle.pipeline->run_front(dataset->load(row), row),
                                  torch::kCPU));
    }
    return torch::cat(parts);
  };
  const torch::Tensor targets = torch::eye(10);
  const torch::Tensor scores = knn_scores({}, features(1, 3), targets.repeat({6, 1}), features(5, 5));
  const double expected = (scores.argmax(1) == torch::arange(10).repeat({2})).to(torch::kDouble).mean().item<double>();
  CHECK(accuracy("run", "knn") == expected);

  probe("untrained", kResNet);
  CHECK(read_json(at("untrained/probe.json"))["weights"] == "");
  CHECK(read_file(at("untrained/eval/test/predictions.csv")) != read_file(at("run/eval/test/predictions.csv")));
}

TEST_CASE_METHOD(Probes, "each fold is probed by its own weights, and the figures are averaged") {
  finetune("trained", {"split={by: fold}", "folds=[2, 4]", "train.epochs=1"});
  auto words = with(kResNet, "split={by: fold}");
  words.push_back("folds=[2, 4]");
  probe("run", with(words, "init_from=" + at("trained/folds/{fold}").string()));
  const auto figures = read_json(at("run/probe.json"));
  CHECK(figures["folds"] == nlohmann::ordered_json({2, 4}));
  for (const char* method : {"knn", "linear"}) {
    const double mean = (accuracy("run/folds/2", method) + accuracy("run/folds/4", method)) / 2;
    CHECK(std::abs(figures["methods"][method]["test"]["mean_accuracy"].get<double>() - mean) < 1e-12);
  }
  CHECK(read_json(at("run/cv.json"))["mean_accuracy"] == figures["methods"]["knn"]["test"]["mean_accuracy"]);
  CHECK(contains(read_json(at("run/folds/4/probe.json"))["weights"], "folds/4"));
}

TEST_CASE_METHOD(Probes, "rows that trained the encoder do not test it") {
  finetune("trained");  // tests fold 5
  auto words = with(kResNet, "split={by: fold, test: 3, val: 5}");
  const std::string text = refused(with(words, "init_from=" + at("trained").string()));
  CHECK(contains(text, "error[LEAK]"));
  CHECK(contains(text, "20"));
}

TEST_CASE_METHOD(Probes, "weights from behind another front end are probed with a warning") {
  finetune("trained");
  const std::string from = "init_from=" + at("trained").string();
  probe("same", with(kResNet, from));
  probe("random", with(with(kResNet, from), "transforms+={name: roll}"));
  probe("center", with(with(kResNet, from), "transforms+={name: crop, frames: 20, eval: center}"));
  probe("other", with(with(kResNet, from),
                      "transforms=[{name: mel_spectrogram, n_fft: 512, hop: 128, n_mels: 16}, "
                      "{name: log}, {name: standardize}]"));
  const auto warned = [&](const char* run) {
    return contains(read_file(at(run) / "log.txt"), "behind other transforms");
  };
  CHECK_FALSE(warned("same"));
  CHECK_FALSE(warned("random"));  // acts in training only
  CHECK(warned("center"));
  CHECK(warned("other"));
}

TEST_CASE_METHOD(Probes, "samples that cannot be read are in no split of a probe that skips them") {
  std::string table = "path,label,fold\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i) + ".wav";
    const double pitch = i % 2 == 0 ? 0.02 : 0.3;
    write_wav(at(name), (torch::arange(1600) * pitch).sin().unsqueeze(0) * 0.5, 16000);
    table += name + "," + (i % 2 == 0 ? "low" : "high") + "," + std::to_string(i < 8 ? 1 : 2) + "\n";
  }
  write_file(at("3.wav"), "this is no sound");
  write_file(at("8.wav"), "nor is this");
  configs.write("t.csv", table);
  probe("run", {},
        "task: probe\n"
        "data: {name: audio_csv, file: t.csv, on_bad_sample: skip}\n"
        "split: {by: fold, test: 2}\n"
        "transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]\n"
        "model: mel_stats\n");
  CHECK(read_json(at("run/probe.json"))["gallery"] == 7);
  CHECK(read_json(at("run/eval/test/metrics.json"))["count"] == 3);
  CHECK(read_run_json(at("run"))["bad_samples"]["count"] == 2);
  CHECK(accuracy("run", "linear") == 1);  // a low and a high tone
}

TEST_CASE_METHOD(Probes, "an encoder without parameters trains as logistic regression, is saved and is loaded") {
  finetune("logistic", {"model=mel_stats", "train.epochs=30", "optim.lr=0.02", "data.clips_per_class=40"});
  CHECK(read_json(at("logistic/eval/test/metrics.json"))["accuracy"].get<double>() > 0.3);
  const Plan other = configs.plan(kSmall);
  const Bundle bundle = load_bundle(bundle_folder(at("logistic")), *other.registry);
  CHECK(bundle.model->parameters().size() == 2);
  CHECK(bundle.model->encoder().width() == 32);
}
