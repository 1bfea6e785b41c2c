// Radio frames from a config to a run folder: the network in one dimension, and the masked autoencoder on patches of IQ
// with fine-tuning after it.
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "io/safetensors.h"
#include "task/finetune.h"
#include "task/pretrain.h"
#include "task/run_folder.h"
#include "testing.h"
#include "train/run_log.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::string kIqData =
    "data: {name: synthetic_radio, classes: [BPSK, GFSK, WBFM], snr: [10, 18], frames_per_cell: 20}\n"
    "split: {by: ratio, stratify: [snr], val_ratio: 0.2, test_ratio: 0.2}\n"
    "log: {tensorboard: false}\n";

const std::string kIqNetwork = kIqData +
                               "transforms:\n"
                               "  - {name: iq_scale}\n"
                               "  - {name: phase_rotation}\n"
                               "  - {name: cfo}\n"
                               "  - {name: noise, snr_db: [10, 20]}\n"
                               "  - {name: roll}\n"
                               "model: {name: resnet, depths: [1, 1], width: 8, stem_kernel: 7}\n"
                               "optim: {lr: 1e-2}\n"
                               "train: {epochs: 8, batch_size: 16}\n";

const std::string kIqAutoencoder =
    kIqData +
    "transforms:\n"
    "  - {name: iq_scale}\n"
    "  - {name: phase_rotation}\n"
    "model: {name: audiomae++, size: custom, dim: 16, depth: 1, heads: 2, decoder_dim: 16, decoder_depth: 1,\n"
    "        decoder_heads: 2, patch_time: 8, rope: true}\n"
    "pretrain: {mask: {ratio: 0.5}, pictures: 2, pictures_every: 2, knn_every: 2}\n"
    "optim: {lr: 3e-3}\n"
    "train: {epochs: 4, batch_size: 16}\n";

/// Runs `text` in a folder of its own below that of `configs`.
fs::path run_iq(const Configs& configs, const std::string& text, const std::string& folder,
                const std::vector<std::string>& overrides = {}) {
  log::set_level(log::Level::error);
  Plan plan = configs.plan(text, overrides);
  const RunRequest request{{"test"}, "cpu"};
  const auto path = [&] { return configs.path() / folder; };
  REQUIRE((plan.config.task == "pretrain" ? pretrain(plan, request, path) : finetune(plan, request, path)));
  CHECK(read_run_json(path())["state"] == "finished");
  return path();
}

std::vector<double> iq_losses(const fs::path& run) {
  std::vector<double> values;
  for (const Metric& metric : read_metrics(run / "metrics.jsonl")) {
    if (metric.split == "train" && metric.name == "loss") values.push_back(metric.value);
  }
  return values;
}

}  // namespace

TEST_CASE("IQ frames train the network in one dimension, through every transform of IQ") {
  const Configs configs;
  const fs::path run = run_iq(configs, kIqNetwork, "run");
  const auto losses = iq_losses(run);
  REQUIRE(losses.size() == 8);
  CHECK(losses.back() < 0.9 * losses.front());
  const auto weights = read_safetensors(run / "checkpoints/last/model.safetensors");
  CHECK(weights.at("encoder.conv1.weight").sizes() == torch::IntArrayRef({8, 2, 1, 7}));
  CHECK(read_run_json(run)["results"]["test"]["count"] == 24);
}

TEST_CASE("IQ frames as pictures train the network in two dimensions") {
  const Configs configs;
  for (const std::string view : {"iq_spectrogram", "constellation", "amplitude_phase"}) {
    INFO(view);
    run_iq(configs, kIqNetwork, view, {"transforms=[{name: iq_scale}, {name: " + view + "}]", "train.epochs=1"});
  }
}

TEST_CASE("a masked autoencoder learns IQ frames without labels, draws them, and is fine-tuned with few labels") {
  const Configs configs;
  const fs::path before = run_iq(configs, kIqAutoencoder, "before", {"task=pretrain"});
  const auto losses = iq_losses(before);
  CHECK(losses.back() < losses.front());
  CHECK(fs::exists(before / "pictures/reconstruction-0004.png"));
  const auto learned = read_safetensors(before / "checkpoints/last/model.safetensors");
  CHECK(learned.at("encoder.patch_embed.proj.weight").sizes() == torch::IntArrayRef({16, 2, 8, 1}));

  const std::string still = "optim={lr: 1e-12, weight_decay: 0}";
  const fs::path after = run_iq(configs, kIqAutoencoder, "after",
                                {"init_from=" + before.string(), "split.labels=0.2", "train.epochs=1", still});
  const auto taken = read_safetensors(after / "checkpoints/last/model.safetensors");
  CHECK(torch::allclose(taken.at("encoder.patch_embed.proj.weight"), learned.at("encoder.patch_embed.proj.weight")));
  CHECK(taken.count("encoder.decoder.mask_token") == 0);
}

TEST_CASE("a transform of IQ on sound is refused before data is read, with what gives the sound") {
  const Configs configs;
  log::set_level(log::Level::error);
  Plan plan = configs.plan(
      "data: {name: synthetic_sounds}\nsplit: {by: fold, test: 5}\n"
      "transforms: [{name: phase_rotation}]\nmodel: {name: resnet}\n");
  const std::string text = text_of(problems_of([&] {
    finetune(plan, {{"test"}, "cpu"}, [&] { return configs.path() / "run"; });
  }));
  CHECK(contains(text, "phase_rotation got audio, expected iq"));
}
