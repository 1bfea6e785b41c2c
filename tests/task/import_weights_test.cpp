#include "task/import_weights.h"

#include <cstdlib>

#include "base/hash.h"
#include "io/safetensors.h"
#include "task/session.h"
#include "tests/task/testing.h"
#include "train/ema.h"

using namespace amae;

namespace {

using State = TransferRow::State;

const std::string kMae =
    "data: {name: synthetic_sounds, clips_per_class: 2, duration: 0.5, rate: 8 kHz}\n"
    "split: {by: fold, test: 5}\n"
    "transforms:\n"
    "  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}\n"
    "  - {name: log}\n"
    "  - {name: crop, frames: 32}\n"
    "model: {name: audiomae++, size: custom, dim: 16, depth: 2, heads: 2, decoder_dim: 8, decoder_depth: 1,\n"
    "        decoder_heads: 2, patch_time: 4, patch_frequency: 8, form: official_compat}\n";
const std::string kRules = AMAE_SOURCE_DIR "/configs/weights/";

class Weights : public Configs {
 public:
  /// The weights that a config's model begins with, with a decoder as of a pretraining.
  static TensorDict fresh(const Plan& plan, bool reconstructs = true) {
    const auto dataset = open_dataset(plan, false);
    const auto pipeline = make_pipeline(plan, *dataset);
    const Classifier model(make_encoder(plan, *pipeline, reconstructs), 0, {});
    return tensors_of(model);
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path() / name; }
};

}  // namespace

TEST_CASE_METHOD(Weights, "a model's weights leave under official names and come back whole") {
  const Plan first = plan(kMae, {"seed=1", "task=pretrain"});
  const TensorDict weights = fresh(first);
  write_safetensors(file("ours.safetensors"), weights);
  CHECK(export_weights(file("ours.safetensors").string(), kRules + "to_audiomae_plus_plus.yaml",
                       file("official.safetensors")) == static_cast<int64_t>(weights.size()));
  const TensorDict official = read_safetensors(file("official.safetensors"));
  CHECK(official.count("encoder.blocks.1.attn.qkv_layer.weight") == 1);
  CHECK(official.count("decoder.decoder_blocks.0.ffn2.linear2.bias") == 1);
  CHECK(official.count("decoder.mask_token") == 1);

  const Import import = import_weights(plan(kMae, {"seed=2", "task=pretrain"}), file("official.safetensors").string(),
                                       kRules + "audiomae_plus_plus.yaml");
  check_complete(import);
  CHECK(import.transfer.count(State::loaded) == static_cast<int64_t>(weights.size()));
  CHECK(import.transfer.count(State::unused) == 0);
  write_import(import, file("new/folder/again.safetensors"));
  std::map<std::string, std::string> metadata;
  const TensorDict again = read_safetensors(file("new/folder/again.safetensors"), &metadata);
  REQUIRE(again.size() == weights.size());
  for (const auto& [name, tensor] : weights) {
    INFO(name);
    CHECK(torch::equal(again.at(name), tensor));
  }
  CHECK(metadata.at("amae.source") == file("official.safetensors").string());
  CHECK(metadata.at("amae.source_sha256") == sha256_file(file("official.safetensors")));
  CHECK(metadata.at("amae.model") == "audiomae++");
  CHECK(metadata.count("amae.rules_sha256") == 1);
}

TEST_CASE_METHOD(Weights, "what is missing is not written, so that training initialises it") {
  const Plan target = plan(kMae, {"task=pretrain"});
  TensorDict weights = fresh(target);
  const size_t all = weights.size();
  weights.erase("encoder.norm.weight");
  weights["encoder.norm.bias"] = torch::zeros(3);
  weights["head.weight"] = torch::zeros({2, 2});
  write_safetensors(file("part.safetensors"), weights);
  const Import import = import_weights(target, file("part.safetensors").string(), "");
  CHECK(import.transfer.count(State::missing) == 1);
  CHECK(import.transfer.count(State::misfit) == 1);
  CHECK(import.transfer.count(State::unused) == 1);
  write_import(import, file("out.safetensors"));
  CHECK(read_safetensors(file("out.safetensors")).size() == all - 2);
  try {
    check_complete(import);
    FAIL("nothing was missed");
  } catch (const CheckFailed& failure) {
    CHECK(failure.exit_code() == ExitCode::check_failed);
    CHECK(contains(failure.what(), "encoder.norm.weight"));
  }
}

TEST_CASE_METHOD(Weights, "only a config of a pretraining asks for a decoder's weights") {
  const Plan target = plan(kMae);
  const TensorDict weights = fresh(target, /*reconstructs=*/false);
  write_safetensors(file("encoder.safetensors"), weights);
  const Import import = import_weights(target, file("encoder.safetensors").string(), "");
  check_complete(import);
  CHECK(import.tensors.size() == weights.size());
  const Plan pretraining = plan(kMae, {"task=pretrain"});
  CHECK_THROWS_AS(check_complete(import_weights(pretraining, file("encoder.safetensors").string(), "")), CheckFailed);
}

TEST_CASE_METHOD(Weights, "learned positions stay here when weights leave under official names: theirs are computed") {
  const Plan learned = plan(kMae, {"model.positions=learned"});
  const TensorDict weights = fresh(learned);
  REQUIRE(weights.count("encoder.pos_embed") == 1);
  write_safetensors(file("ours.safetensors"), weights);
  CHECK(export_weights(file("ours.safetensors").string(), kRules + "to_audiomae_plus_plus.yaml",
                       file("official.safetensors")) == static_cast<int64_t>(weights.size()) - 1);
}

TEST_CASE_METHOD(Weights, "an import goes where it is told, and by default never onto a file that exists") {
  struct Variable {
    explicit Variable(const std::filesystem::path& folder) { ::setenv("AMAE_CHECKPOINTS", folder.c_str(), 1); }
    ~Variable() { ::unsetenv("AMAE_CHECKPOINTS"); }
  } const checkpoints{file("kept")};
  const std::string from = file("theirs.safetensors").string();
  write_safetensors(from, {{"x", torch::ones(1)}});
  const auto usual = file("kept") / "theirs.safetensors";
  CHECK(prepare_import(from, "") == usual);
  CHECK_FALSE(std::filesystem::exists(usual));
  write_safetensors(usual, {{"x", torch::ones(1)}});
  const std::string refused = text_of(problems_of([&] { prepare_import(from, ""); }));
  CHECK(contains(refused, "got a file that exists, expected a new one; pass --out"));
  CHECK(prepare_import(from, usual) == usual);
  CHECK(contains(text_of(problems_of([&] { prepare_import(from, from); })), "got the input file itself"));
  CHECK(contains(text_of(problems_of([&] { prepare_import(from, file("b.pt")); })), "expected .safetensors"));
}

TEST_CASE_METHOD(Weights, "a state dict of PyTorch goes the same way, and a foreign one is refused") {
  const auto problems = problems_of([&] { import_weights(plan(kMae), AMAE_TEST_DATA "/torch/nested.pt", ""); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == "CKPT");
  CHECK(contains(problems[0].message, "got no tensor that fits this model"));
}

TEST_CASE_METHOD(Weights, "an output that would destroy something is refused before anything is read") {
  write_safetensors(file("a.safetensors"), {{"x", torch::ones(1)}});
  const std::string from = file("a.safetensors").string();
  const auto refused = [&](const std::filesystem::path& out) {
    return text_of(problems_of([&] { export_weights(from, "", out); }));
  };
  CHECK(contains(refused(file("a.safetensors")), "got the input file itself"));
  CHECK(contains(refused(file("b.pt")), "expected .safetensors"));
  std::filesystem::create_directories(file("c.safetensors"));
  CHECK(contains(refused(file("c.safetensors")), "got a folder"));
  write_file(file("rules.yaml"), "- {from: '.*', drop: true}\n");
  CHECK(contains(text_of(problems_of([&] { export_weights(from, file("rules.yaml"), file("d.safetensors")); })),
                 "drop every tensor"));
  CHECK_FALSE(std::filesystem::exists(file("d.safetensors")));
  CHECK(default_import_path("/x/checkpoint-99.pth").filename() == "checkpoint-99.safetensors");
  CHECK(default_import_path("runs/best/").filename() == "best.safetensors");
}
