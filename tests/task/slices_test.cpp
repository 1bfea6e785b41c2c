// Figures by the values of a column: on scores made up, and of whole runs.
#include "task/slices.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "base/log.h"
#include "io/audio.h"
#include "io/csv.h"
#include "task/eval_report.h"
#include "task/evaluate_run.h"
#include "task/finetune.h"
#include "task/fold_slices.h"
#include "task/pretrain.h"
#include "task/probe.h"
#include "task/run_folder.h"
#include "testing.h"
#include "tests/data/columns.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// Every row of radio_rows(3, 4, 10), of which those below -16 dB are all taken for class 0.
Scores deaf_below_16(const Columns& data) {
  Scores scores;
  scores.targets = torch::zeros({data.size(), 3});
  scores.probabilities = torch::full({data.size(), 3}, 0.1F);
  for (int64_t row = 0; row < data.size(); ++row) {
    const auto i = static_cast<size_t>(row);
    scores.rows.push_back(row);
    scores.targets[row][data.label[i]] = 1;
    scores.probabilities[row][data.numbers.at("snr")[i] < -16 ? 0 : data.label[i]] = 0.8F;
  }
  return scores;
}

/// A table with its cells by column name.
std::vector<std::map<std::string, std::string>> table_of(const fs::path& file) {
  CsvReader table(file);
  std::vector<std::map<std::string, std::string>> rows;
  while (table.next()) {
    auto& row = rows.emplace_back();
    for (size_t i = 0; i < table.header().size(); ++i) row[table.header()[i]] = table.cells()[i];
  }
  return rows;
}

nlohmann::ordered_json parsed(const fs::path& file) { return nlohmann::ordered_json::parse(read_file(file)); }

/// Tones of two pitches at three levels of noise, in a table of 4 folds.
class NoisyTones {
 public:
  NoisyTones() {
    log::set_level(log::Level::error);
    std::string table = "path,label,fold,snr\n";
    for (int64_t i = 0; i < 96; ++i) {
      const int64_t level = i / 2 % 3;
      const std::string name = std::to_string(i) + ".wav";
      torch::manual_seed(static_cast<uint64_t>(i));
      const torch::Tensor tone = (torch::arange(1920) * (i % 2 == 0 ? 0.5 : 0.8)).sin() * 0.2;
      const torch::Tensor noise = torch::randn({1920}) * 0.2 * std::pow(10.0, 1.0 - static_cast<double>(level));
      write_wav(configs.path() / name, (tone + noise).clamp(-1, 1).unsqueeze(0), 16000);
      table += name + "," + (i % 2 == 0 ? "low" : "high") + "," + std::to_string(1 + i % 16 / 4) + "," +
               std::to_string(-20 + 20 * level) + "\n";
    }
    configs.write("t.csv", table);
  }
  ~NoisyTones() { log::set_level(log::Level::warning); }
  NoisyTones(const NoisyTones&) = delete;
  NoisyTones& operator=(const NoisyTones&) = delete;

  [[nodiscard]] Plan plan(const std::vector<std::string>& overrides) const {
    return configs.plan(
        "data: {name: audio_csv, file: t.csv, columns: [snr]}\n"
        "split: {by: ratio, test_ratio: 25 %, val_ratio: 25 %, stratify: [snr]}\n"
        "transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]\n"
        "model: mel_stats\n"
        "train: {epochs: 1, batch_size: 16}\n"
        "log: {tensorboard: false}\n",
        overrides);
  }
  bool finetune(const std::string& folder, const std::vector<std::string>& overrides = {}) const {
    Plan made = plan(overrides);
    return amae::finetune(made, {{"test"}, "cpu"}, [&] { return at(folder); });
  }
  [[nodiscard]] std::string refused(const std::vector<std::string>& overrides) const {
    return text_of(problems_of([&] { finetune("refused", overrides); }));
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return configs.path() / name; }

  /// Rows of each part in split.csv.
  [[nodiscard]] std::map<std::string, int> parts(const std::string& folder) const {
    std::map<std::string, int> counts;
    for (auto& row : table_of(at(folder) / "split.csv")) ++counts[row["part"]];
    return counts;
  }
  /// Row and part of what validates and tests in split.csv.
  [[nodiscard]] std::set<std::pair<std::string, std::string>> judging(const std::string& folder) const {
    std::set<std::pair<std::string, std::string>> rows;
    for (auto& row : table_of(at(folder) / "split.csv")) {
      if (row["part"] == "val" || row["part"] == "test") rows.emplace(row["row"], row["part"]);
    }
    return rows;
  }

  Configs configs;
};

/// slices.csv against predictions.csv: counts and accuracies, each value's.
void check_slices_of(const fs::path& report) {
  std::map<std::string, std::pair<int, int>> right_of;
  for (auto& row : table_of(report / "predictions.csv")) {
    auto& [right, count] = right_of[row["snr"]];
    right += row["target"] == row["predicted_1"] ? 1 : 0;
    ++count;
  }
  auto slices = table_of(report / "slices.csv");
  CHECK(slices.size() == right_of.size());
  double mean = 0;
  for (auto& slice : slices) {
    INFO(slice["value"]);
    const auto& [right, count] = right_of[slice["value"]];
    CHECK(slice["column"] == "snr");
    CHECK(slice["count"] == std::to_string(count));
    CHECK(std::abs(std::stod(slice["accuracy"]) - static_cast<double>(right) / count) < 1e-6);
    mean += std::stod(slice["accuracy"]) / 3;
  }
  CHECK(std::abs(parsed(report / "metrics.json")["slices"]["snr"]["mean_accuracy"].get<double>() - mean) < 1e-5);
}

}  // namespace

TEST_CASE("a slice's figures are those of its rows alone, a column's mean counts every value the same") {
  Columns data = radio_rows(3, 4, 10);
  data.numbers["snr"][119] = std::nan("");
  const auto sliced = slice(column_values(data, {"snr"}, "", ""), deaf_below_16(data), data.names, false, {});
  REQUIRE(sliced.size() == 1);
  REQUIRE(sliced[0].slices.size() == 5);
  const auto& slices = sliced[0].slices;
  for (size_t i = 0; i < 4; ++i) CHECK(slices[i].number == -20 + 2.0 * static_cast<double>(i));
  CHECK_FALSE(slices[4].has_value);
  CHECK(slices[4].text == "none");
  for (size_t i = 0; i < 5; ++i) {
    INFO(slices[i].text);
    const bool deaf = i < 2;
    CHECK(slices[i].metrics.count == (i == 3 ? 29 : i == 4 ? 1 : 30));
    CHECK(slices[i].metrics.accuracy == (deaf ? 10.0 / 30 : 1));
    CHECK(slices[i].metrics.macro_precision == (deaf ? 1.0 / 9 : 1));  // a third of class 0's, nothing of the others'
    // The log loss of 0.8 where right, of 0.1 where wrong.
    CHECK(std::abs(slices[i].loss + (deaf ? (std::log(0.8) + 2 * std::log(0.1)) / 3 : std::log(0.8))) < 1e-6);
  }
  CHECK(std::abs(sliced[0].mean_accuracy - (2.0 / 3 + 2) / 4) < 1e-12);
  CHECK(std::abs(slices[0].accuracy_at_least - (20.0 + 59) / 119) < 1e-12);
  CHECK(std::abs(slices[1].accuracy_at_least - (10.0 + 59) / 89) < 1e-12);
  CHECK(slices[2].accuracy_at_least == 1);
}

TEST_CASE("slices of several labels a row count rows that are all right") {
  Columns data;
  data.names = {"a", "b"};
  data.several = torch::tensor({{1.0F, 1.0F}, {1.0F, 0.0F}, {0.0F, 1.0F}, {0.0F, 0.0F}});
  data.texts["place"] = {{"sea", "land"}, {0, 1, 0, 1}};
  Scores scores{{0, 1, 2, 3}, torch::tensor({{.9F, .9F}, {.9F, .9F}, {.1F, .9F}, {.1F, .1F}}), data.several};
  const auto sliced = slice(column_values(data, {"place"}, "", ""), scores, data.names, true, {});
  REQUIRE(sliced.at(0).slices.size() == 2);
  CHECK(sliced[0].slices[0].text == "land");
  CHECK(sliced[0].slices[0].metrics.accuracy == 0.5);
  CHECK(sliced[0].slices[1].metrics.accuracy == 1);
  const TemporaryFolder folder;
  write_slices(folder.path(), sliced);
  CHECK(table_of(folder.path() / "slices.csv").at(0)["accuracy_at_least"].empty());
  CHECK_FALSE(fs::exists(folder.path() / "accuracy_over_place.svg"));
}

TEST_CASE("slices are written as tables, JSON and a curve, and what an earlier evaluation left goes") {
  const TemporaryFolder folder;
  Columns data = radio_rows(3, 4, 10);
  data.numbers["../snr/.wav"] = data.numbers["snr"];
  for (const double snr : data.numbers["snr"])  // noise-free at the highest
    data.numbers["infinite"].push_back(snr == -14 ? std::numeric_limits<double>::infinity() : snr);
  const auto sliced = slice(column_values(data, {"snr", "../snr/.wav", "infinite"}, "", ""), deaf_below_16(data),
                            data.names, false, {});
  write_file(folder.path() / "accuracy_over_gone.svg", "old");
  write_slices(folder.path(), sliced);
  CHECK_FALSE(fs::exists(folder.path() / "accuracy_over_gone.svg"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 5);  // nothing was written elsewhere

  auto table = table_of(folder.path() / "slices.csv");
  CHECK(table.size() == 12);
  CHECK(table[1]["column"] == "snr");
  CHECK(table[1]["value"] == "-18");
  CHECK(table[1]["accuracy"] == "0.333333");
  CHECK(table[1]["top5"] == "1.000000");
  CHECK(std::stod(table[1]["accuracy_low"]) < 1.0 / 3);
  auto per_class = table_of(folder.path() / "slices_per_class.csv");
  CHECK(per_class.size() == 36);
  CHECK(per_class[0]["class"] == "class0");
  CHECK(per_class[0]["recall"] == "1.000000");
  CHECK(per_class[1]["recall"] == "0.000000");

  const auto json = slices_json(sliced);
  CHECK(json["snr"]["values"][0]["value"] == -20);
  CHECK(json["snr"]["values"][3]["accuracy_at_least"] == 1);
  CHECK(json["infinite"]["values"][3]["value"] == "inf");
  const std::string svg = read_file(folder.path() / "accuracy_over_snr.svg");
  CHECK(contains(svg, "Accuracy over snr: mean 0.667 of 4 values, 120 items"));
  for (const char* curve : {"all classes", "class0", "class2"}) CHECK(contains(svg, std::string("<title>") + curve));

  write_slices(folder.path(), {});
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE_METHOD(NoisyTones, "a run leaves its split, slices of what it tested, and predictions with the column") {
  REQUIRE(finetune("run"));
  CHECK(parts("run") == std::map<std::string, int>{{"train", 48}, {"val", 24}, {"test", 24}});
  CHECK(read_run_json(at("run"))["split"]["test"] == 24);
  check_slices_of(at("run/eval/test"));
  CHECK(fs::exists(at("run/eval/test/accuracy_over_snr.svg")));

  // The same again by amae evaluate, from the run's own config.
  const Plan saved = load_plan(at("run/config.yaml"), {}, {AMAE_BUILD_DIR "/plugins"});
  evaluate_run(saved, {{}, "cpu"}, at("run"), "test", at("again"), {});
  for (const char* file : {"slices.csv", "slices_per_class.csv", "accuracy_over_snr.svg", "predictions.csv"}) {
    INFO(file);
    CHECK(read_file(at("again") / file) == read_file(at("run/eval/test") / file));
  }
}

TEST_CASE_METHOD(NoisyTones, "slices can be named or left out") {
  REQUIRE(finetune("none", {"eval.slices=[]", "split.stratify=[]"}));
  CHECK_FALSE(fs::exists(at("none/eval/test/slices.csv")));
  CHECK_FALSE(parsed(at("none/eval/test/metrics.json")).contains("slices"));
  REQUIRE(finetune("named", {"eval.slices=snr"}));
  check_slices_of(at("named/eval/test"));
}

TEST_CASE_METHOD(NoisyTones, "unknown columns are refused with those that exist, before anything is made") {
  const std::string slices = refused({"eval.slices=[sir]"});
  CHECK(
      contains(slices, "<argument 1>: eval.slices: got column sir, expected one of snr (numbers); did you mean snr?"));
  const std::string stratify = refused({"split.stratify=[snr, mod]"});
  CHECK(contains(stratify, "config.yaml:2:55: split.stratify: got column mod, expected one of snr (numbers)"));
  CHECK_FALSE(fs::exists(at("refused")));
  CHECK(contains(refused({"split.labels=0"}), "<argument 1>: split.labels: got 0, expected a share above 0"));
}

TEST_CASE_METHOD(NoisyTones, "with a share of the labels the rest of the training rows are in no part, but pretrain") {
  REQUIRE(finetune("run", {"split.labels=25 %"}));
  CHECK(parts("run") == std::map<std::string, int>{{"train", 12}, {"unlabelled", 36}, {"val", 24}, {"test", 24}});
  CHECK(read_trained_on(at("run/checkpoints/last")).size() == 12);
  // The same rows validate and test, whatever the share and whichever labels.
  REQUIRE(finetune("other", {"split.labels=25 %", "split.labels_seed=1"}));
  CHECK(read_file(at("other/split.csv")) != read_file(at("run/split.csv")));
  CHECK(parts("other") == parts("run"));
  CHECK(judging("other") == judging("run"));

  Plan probing = plan({"task=probe", "split.labels=25 %"});
  REQUIRE(probe(probing, {{"test"}, "cpu"}, [&] { return at("probe"); }));
  CHECK(parsed(at("probe/probe.json"))["gallery"] == 12);
  CHECK(read_file(at("probe/split.csv")) == read_file(at("run/split.csv")));
  check_slices_of(at("probe/eval/test"));
  check_slices_of(at("probe/eval/test-linear"));

  const std::vector<std::string> words = {
      "task=pretrain", "split.labels=25 %",
      "model={name: audiomae++, size: custom, dim: 16, depth: 1, heads: 2, decoder_dim: 16, decoder_depth: 1, "
      "decoder_heads: 2, patch_time: 4, patch_frequency: 8}"};
  Plan pretraining = plan(words);
  REQUIRE(pretrain(pretraining, {{"test"}, "cpu"}, [&] { return at("pretrained"); }));
  CHECK(parts("pretrained") == std::map<std::string, int>{{"train", 48}, {"val", 24}, {"test", 24}});
  CHECK(judging("pretrained") == judging("run"));
  check_slices_of(at("pretrained/eval/test"));
  auto contrastive = words;
  contrastive.emplace_back("pretrain.contrastive=0.1");
  CHECK(contains(text_of(problems_of([&] { (void)plan(contrastive); })),
                 "<argument 2>: split.labels: got fewer than all"));
}

TEST_CASE_METHOD(NoisyTones, "a run goes on with the split it began with, and with no other") {
  REQUIRE(finetune("run"));
  REQUIRE(finetune("run"));
  const std::string text = text_of(problems_of([&] { finetune("run", {"split.seed=1"}); }));
  CHECK(contains(text, "split.csv: line "));
  CHECK(contains(text, "as when this run began; start a new run"));
}

TEST_CASE_METHOD(NoisyTones, "a cross-validation has each fold's split and slices, and pools the slices") {
  REQUIRE(finetune("cv", {"split={by: fold, stratify: [snr], labels: 50 %}", "folds=[1, 3, 4]"}));
  std::map<std::string, std::pair<double, int>> right_of;  // by value, over the folds' predictions
  for (const char* fold : {"1", "3", "4"}) {
    const fs::path report = at("cv/folds") / fold / "eval/test";
    check_slices_of(report);
    CHECK(parts("cv/folds/" + std::string(fold)) ==
          std::map<std::string, int>{{"train", 36}, {"unlabelled", 36}, {"test", 24}});
    for (auto& row : table_of(report / "predictions.csv")) {
      auto& [right, count] = right_of[row["snr"]];
      right += row["target"] == row["predicted_1"] ? 1 : 0;
      ++count;
    }
  }
  auto table = table_of(at("cv/slices.csv"));
  REQUIRE(table.size() == 3);
  CHECK(table[0]["value"] == "-20");
  for (auto& row : table) {
    INFO(row["value"]);
    const auto& [right, count] = right_of[row["value"]];
    CHECK(row["count"] == std::to_string(count));
    CHECK(std::abs(std::stod(row["accuracy"]) - right / count) < 1e-6);
  }
  const auto slices = parsed(at("cv/cv.json"))["slices"]["snr"];
  double mean = 0;
  for (size_t i = 0; i < 3; ++i) {
    mean += slices["values"][i]["accuracy"].get<double>() / 3;
    CHECK(slices["values"][i]["folds"] == 3);
  }
  CHECK(std::abs(slices["mean_accuracy"].get<double>() - mean) < 1e-12);
  CHECK(contains(read_file(at("cv/accuracy_over_snr.svg")), "<title>fold 3</title>"));
  CHECK_FALSE(parsed(at("cv/cv.json"))["per_fold"][0].contains("slices"));
}

TEST_CASE("pooled slices weigh rows for the accuracy, folds for the means, and need not be in every fold") {
  const auto report = [](const std::vector<std::tuple<nlohmann::ordered_json, int, double>>& values) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [value, count, accuracy] : values) {
      nlohmann::ordered_json one{{"value", value}, {"count", count}, {"accuracy", accuracy}};
      for (const char* figure :
           {"top5", "macro_precision", "macro_recall", "macro_f1", "mean_average_precision", "loss"})
        one[figure] = 1 - accuracy;
      list.push_back(one);
    }
    return nlohmann::ordered_json{{"slices", {{"snr", {{"mean_accuracy", 0}, {"values", list}}}}}};
  };
  const TemporaryFolder folder;
  const auto slices = write_fold_slices(folder.path(), {{"1", report({{4, 10, 0.5}, {"inf", 1, 1}, {nullptr, 1, 0}})},
                                                        {"2", report({{-2, 5, 0.2}, {4, 30, 0.9}})}});
  const auto& values = slices["snr"]["values"];
  REQUIRE(values.size() == 4);
  CHECK(values[0]["value"] == -2);
  CHECK(values[0]["folds"] == 1);
  CHECK(values[0]["sd_accuracy"] == 0);
  CHECK(values[1]["value"] == 4);
  CHECK(values[1]["count"] == 40);
  CHECK(std::abs(values[1]["accuracy"].get<double>() - 0.8) < 1e-12);
  CHECK(std::abs(values[1]["mean_accuracy"].get<double>() - 0.7) < 1e-12);
  CHECK(std::abs(values[1]["mean_loss"].get<double>() - 0.3) < 1e-12);
  CHECK(std::abs(values[1]["sd_accuracy"].get<double>() - 0.2 * std::sqrt(2.0)) < 1e-12);
  CHECK(values[2]["value"] == "inf");
  CHECK(values[3]["value"].is_null());
  CHECK(std::abs(slices["snr"]["mean_accuracy"].get<double>() - (0.2 + 0.8 + 1) / 3) < 1e-12);
  auto table = table_of(folder.path() / "slices.csv");
  CHECK(table.at(3)["value"] == "none");
  CHECK(table.at(1)["count"] == "40");
  CHECK(table.at(1)["mean_macro_f1"] == "0.300000");
  CHECK(contains(read_file(folder.path() / "accuracy_over_snr.svg"), "mean 0.667, 2 folds"));
  CHECK(write_fold_slices(folder.path(), {{"1", {{"accuracy", 1}}}}).empty());
}
