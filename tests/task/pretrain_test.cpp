// Pretraining from a config to a run folder.
#include "task/pretrain.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "base/stop.h"
#include "io/safetensors.h"
#include "task/reconstruction_sheet.h"
#include "task/run_folder.h"
#include "testing.h"
#include "train/run_log.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::string kPretrain =
    "task: pretrain\n" + kSmallData +
    "model: {name: audiomae++, size: custom, dim: 16, depth: 1, heads: 2, decoder_dim: 16, decoder_depth: 1,\n"
    "        decoder_heads: 2, patch_time: 4, patch_frequency: 8}\n"
    "pretrain: {mask: {ratio: 0.5}, pictures: 2, pictures_every: 1, knn_every: 1}\n"
    "optim: {lr: 3e-3}\n"
    "train: {epochs: 2, batch_size: 16}\n"
    "log: {tensorboard: false}\n";

bool run_pretraining(const Configs& configs, const std::vector<std::string>& overrides,
                     const std::string& folder = "run") {
  log::set_level(log::Level::error);
  Plan plan = configs.plan(kPretrain, overrides);
  return pretrain(plan, {{"test"}, "cpu"}, [&] { return configs.path() / folder; });
}

std::string pretraining_refused(const Configs& configs, const std::vector<std::string>& overrides) {
  return text_of(problems_of([&] { run_pretraining(configs, overrides); }));
}

std::vector<double> series(const fs::path& run, const std::string& split, const std::string& name) {
  std::vector<double> values;
  for (const Metric& metric : read_metrics(run / "metrics.jsonl")) {
    if (metric.split == split && metric.name == name) values.push_back(metric.value);
  }
  return values;
}

}  // namespace

TEST_CASE("pretraining lowers the loss and leaves encoder, decoder, figures, pictures and a judgement by neighbours") {
  const Configs configs;
  REQUIRE(run_pretraining(configs, {}));
  const fs::path run = configs.path() / "run";
  CHECK(read_run_json(run)["state"] == "finished");
  for (const char* file :
       {"config.yaml", "log.txt", "metrics.csv", "checkpoints/last/SHA256SUMS", "eval/test/metrics.json",
        "pictures/reconstruction-0001.png", "pictures/reconstruction-0002.png", "plots/loss.svg"}) {
    INFO(file);
    CHECK(fs::exists(run / file));
  }
  for (const char* split : {"train", "val"}) {
    const auto losses = series(run, split, "loss");
    REQUIRE(losses.size() == 2);
    CHECK(losses[1] < losses[0]);
  }
  CHECK(series(run, "val", "knn_accuracy").size() == 2);
  CHECK(series(run, "train", "grad_norm").size() == 2);

  std::set<std::string> parts;
  for (const auto& [name, tensor] : read_safetensors(run / "checkpoints/last/model.safetensors"))
    parts.insert(name.substr(0, name.find('.', std::string("encoder.").size())));
  CHECK(parts.count("encoder.blocks") == 1);
  CHECK(parts.count("encoder.decoder") == 1);
  CHECK(parts.count("head.weight") == 0);
}

TEST_CASE("labels change nothing in the weights") {
  const Configs configs;
  REQUIRE(run_pretraining(configs, {}));
  REQUIRE(run_pretraining(configs, {"pretrain.knn_every=0", "pretrain.pictures_every=0"}, "unseen"));
  CHECK(read_file(configs.path() / "run/checkpoints/last/model.safetensors") ==
        read_file(configs.path() / "unseen/checkpoints/last/model.safetensors"));
  CHECK(series(configs.path() / "unseen", "val", "knn_accuracy").empty());
  CHECK_FALSE(fs::exists(configs.path() / "unseen/pictures"));
}

TEST_CASE("every kind of mask trains, and other masks make other weights") {
  const Configs configs;
  std::set<std::string> weights;
  for (const std::string kind : {"unstructured", "time", "frequency", "block"}) {
    INFO(kind);
    REQUIRE(run_pretraining(configs, {"pretrain.mask.kind=" + kind, "train.epochs=1"}, kind));
    weights.insert(read_file(configs.path() / kind / "checkpoints/last/model.safetensors"));
  }
  CHECK(weights.size() == 4);
}

TEST_CASE("cross-validation pretrains each fold on the others and judges it by neighbours") {
  const Configs configs;
  REQUIRE(run_pretraining(configs, {"split={by: fold}", "folds=[2, 4]", "train.epochs=1"}));
  const auto cv = nlohmann::ordered_json::parse(read_file(configs.path() / "run/cv.json"));
  CHECK(cv["folds"] == nlohmann::ordered_json({2, 4}));
  CHECK(cv["count"] == 40);
  CHECK(series(configs.path() / "run/folds/2", "train", "knn_accuracy").size() == 1);
}

TEST_CASE("the contrastive term warns that it uses the labels") {
  const Configs configs;
  REQUIRE(run_pretraining(configs, {"pretrain.contrastive=0.1", "pretrain.uniformity=0.1"}));
  const std::string text = read_file(configs.path() / "run/log.txt");
  const size_t warning = text.find("no longer self-supervised: pretrain.contrastive uses the labels");
  REQUIRE(warning != std::string::npos);
  CHECK(text.find("no longer self-supervised", warning + 1) == std::string::npos);
  CHECK(series(configs.path() / "run", "train", "contrastive").size() == 2);
  CHECK(series(configs.path() / "run", "train", "uniformity").size() == 2);
}

TEST_CASE("a model that cannot reconstruct is refused before data is read, with its place in the config") {
  const Configs configs;
  const std::string text = pretraining_refused(configs, {"model={name: resnet, depths: [1], width: 8}"});
  INFO(text);
  CHECK(contains(text, "model: got resnet, which cannot reconstruct, expected a masked autoencoder"));
  CHECK(contains(text, "config.yaml:8:"));
  CHECK_FALSE(fs::exists(configs.path() / "run/checkpoints"));
}

TEST_CASE("input that is a single token is refused") {
  const Configs configs;
  const std::string text = pretraining_refused(configs, {"model.patch_time=20", "model.patch_frequency=16"});
  INFO(text);
  CHECK(contains(text, "as one token"));
}

TEST_CASE("a run stopped and gone on with equals the run never stopped, pictures included") {
  const Configs configs;
  REQUIRE(run_pretraining(configs, {}));
  request_stop(SIGTERM);  // before the first step has ended
  CHECK_FALSE(run_pretraining(configs, {}, "stopped"));
  request_stop(0);
  CHECK(read_run_json(configs.path() / "stopped")["state"] == "interrupted");
  REQUIRE(run_pretraining(configs, {}, "stopped"));
  for (const char* file : {"checkpoints/last/model.safetensors", "checkpoints/last/state.json",
                           "pictures/reconstruction-0002.png", "eval/test/predictions.csv"}) {
    INFO(file);
    CHECK(read_file(configs.path() / "run" / file) == read_file(configs.path() / "stopped" / file));
  }
}

TEST_CASE("a sheet has a row a clip: input, what was seen with the hidden part in grey, prediction, and both") {
  const torch::Tensor input = torch::linspace(0, 1, 64).view({1, 8, 8});
  torch::Tensor hidden = torch::zeros({8, 8}, torch::kBool);
  hidden.slice(1, 0, 4).fill_(true);
  const std::vector<ReconstructionView> one = {{"clip", 0.25, input, 1 - input, hidden}};
  const torch::Tensor sheet = draw_reconstructions(one, "a model after 1 epoch").rgb();
  const torch::Tensor two = draw_reconstructions({one[0], one[0]}, "a model after 1 epoch").rgb();
  CHECK(two.size(0) > sheet.size(0));
  CHECK(two.size(1) == sheet.size(1));
  const torch::Tensor grey = (sheet == torch::tensor({160, 165, 171}).to(torch::kByte)).all(2);
  CHECK(grey.sum().item<int64_t>() > 150 * 100);  // half of a panel of 300 x 110, less its frame
  CHECK(grey.sum().item<int64_t>() < 150 * 112);

  const torch::Tensor wave = torch::sin(torch::linspace(0, 20, 200)).view({1, 200}).repeat({2, 1});
  const std::vector<ReconstructionView> waves = {{"iq", 1, wave, 0.5 * wave, torch::arange(200) < 100}};
  CHECK(draw_reconstructions(waves, "waves").rgb().sizes() == sheet.sizes());
}
