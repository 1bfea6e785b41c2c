#include "train/bundle.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "io/audio.h"
#include "io/safetensors.h"
#include "train/evaluate.h"
#include "train/weights.h"
#include "training.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// A small network over log-mel spectrograms of half-second sounds, with random weights, and its bundle.
class Sounds {
 public:
  static constexpr const char* kMel = "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}";
  explicit Sounds(const std::vector<std::string>& transforms = {kMel, "{name: roll}", "{name: log}",
                                                                "{name: standardize}"}) {
    info.classes = dataset->classes();
    info.input = dataset->spec();
    info.model = component("model", "{name: resnet, depths: [1], width: 8}");
    for (const std::string& yaml : transforms) info.transforms.push_back(component("transform", yaml));
    info.head.dropout = 0.1;
    info.views = 2;
    pipeline = std::make_shared<Pipeline>(built_plugins(), info.transforms, info.input);
    pipeline->fit(static_cast<size_t>(dataset->size()), [&](size_t row) {
      return pipeline->run_front(dataset->load(static_cast<int64_t>(row)), static_cast<int64_t>(row));
    });
    torch::manual_seed(3);
    model = std::make_shared<Classifier>(built_plugins().make_model(info.model, {pipeline->output(Mode::train), 0}),
                                         static_cast<int64_t>(info.classes.size()), info.head);
    torch::NoGradGuard no_grad;
    for (auto& p : model->parameters()) p.add_(0.1 * torch::randn_like(p));  // also what starts at zero or one
    model->eval();
    write();
  }

  void write() {
    write_safetensors(folder() / "model.safetensors", tensors_of(*model));
    write_bundle_files(folder(), info, *model, *pipeline);
    write_checksums(folder());
  }

  [[nodiscard]] torch::Tensor answer(Classifier& net, const Pipeline& front, int64_t row) const {
    return probabilities(net, front, front.run_front(dataset->load(row), row), info.views, false, torch::kCPU);
  }

  [[nodiscard]] std::string refused() const {
    return refusal([&] { load_bundle(folder(), built_plugins()); });
  }

  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }

  std::unique_ptr<Dataset> dataset = built_plugins().make_dataset(
      component("dataset", "{name: synthetic_sounds, clips_per_class: 1, duration: 0.5, rate: 8 kHz}"));
  BundleInfo info;
  std::shared_ptr<Pipeline> pipeline;
  std::shared_ptr<Classifier> model;

 private:
  TemporaryFolder folder_;
};

/// The same network without a head, as pretraining leaves it.
class Headless : public Sounds {
 public:
  Headless() {
    info.task = "pretrain";
    info.classes.clear();
    torch::manual_seed(4);
    model = std::make_shared<Classifier>(built_plugins().make_model(info.model, {pipeline->output(Mode::train), 0}), 0,
                                         info.head);
    model->eval();
    write();
  }
};

/// $AMAE_CHECKPOINTS while it lives.
struct Checkpoints {
  Checkpoints() { ::setenv("AMAE_CHECKPOINTS", folder.path().c_str(), 1); }
  ~Checkpoints() { ::unsetenv("AMAE_CHECKPOINTS"); }
  TemporaryFolder folder;
};

constexpr const char* kFiles[] = {"bundle.json", "model.safetensors", "pipeline.safetensors", "golden.safetensors"};

}  // namespace

TEST_CASE("a bundle gives the probabilities of the model it was written from, bit for bit") {
  const Sounds sounds;
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK_FALSE(bundle.model->is_training());
  for (int64_t row = 0; row < 10; ++row) {
    CHECK(torch::equal(sounds.answer(*bundle.model, *bundle.pipeline, row),
                       sounds.answer(*sounds.model, *sounds.pipeline, row)));
  }
}

TEST_CASE("a bundle tells what it was made of") {
  const Sounds sounds;
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK(bundle.info.classes == sounds.info.classes);
  CHECK(bundle.info.views == 2);
  CHECK(bundle.info.head.dropout == 0.1);
  CHECK(bundle.info.input.text() == sounds.info.input.text());
  CHECK(bundle.info.model.name == "resnet");
  CHECK(bundle.info.transforms.size() == 4);
  CHECK(bundle.id.size() == 12);
  const auto json = nlohmann::json::parse(read_file(sounds.folder() / "bundle.json"));
  CHECK(json["model"]["width"] == 8);
  CHECK(json["transforms"][0]["n_mels"] == 16);
}

TEST_CASE("a bundle is used without the files that training mixed in, and on clips too short for training") {
  auto recordings = std::make_unique<TemporaryFolder>();
  write_wav(recordings->path() / "a.wav", torch::full({1, 800}, 0.1), 8000);
  const Sounds sounds({"{name: background, folder: " + recordings->path().string() + "}", Sounds::kMel,
                       "{name: energy_crop, frames: 20}", "{name: log}", "{name: standardize}",
                       "{name: spec_augment, freq_width: 4, time_width: 15}"});
  recordings.reset();
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK(bundle.info.model_input.text() == "spectrogram [1, 16, 20] at 62.5 Hz");
  CHECK(torch::equal(sounds.answer(*bundle.model, *bundle.pipeline, 3),
                     sounds.answer(*sounds.model, *sounds.pipeline, 3)));
  const Spec brief{Domain::audio, {1, 1000}, 8000};  // 8 frames, of which training would mask up to 15
  CHECK(front_end_for(bundle, built_plugins(), brief, "clip").output(Mode::eval).shape.back() == 8);
  const auto train_on = [&](const Spec& input) { Pipeline(built_plugins(), sounds.info.transforms, input); };
  CHECK(contains(refusal([&] { train_on(bundle.info.input); }), "folder: got "));
}

TEST_CASE("a bundle without id or with another change has another id") {
  Sounds sounds;
  const std::string first = load_bundle(sounds.folder(), built_plugins()).id;
  CHECK(load_bundle(sounds.folder(), built_plugins()).id == first);
  sounds.info.views = 3;
  sounds.write();
  CHECK(load_bundle(sounds.folder(), built_plugins()).id != first);
}

TEST_CASE("the weights that bundle.json names are used") {
  Sounds sounds;
  TensorDict other = tensors_of(*sounds.model);
  for (auto& [name, tensor] : other) tensor = name == "head.bias" ? tensor + 1 : tensor;
  write_safetensors(sounds.folder() / "model.safetensors", other);  // the raw weights differ from the averages
  write_safetensors(sounds.folder() / "ema.safetensors", tensors_of(*sounds.model));
  sounds.info.weights = "ema.safetensors";
  write_bundle_files(sounds.folder(), sounds.info, *sounds.model, *sounds.pipeline);
  write_checksums(sounds.folder());
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK(torch::equal(tensors_of(*bundle.model).at("head.bias"), tensors_of(*sounds.model).at("head.bias")));
}

TEST_CASE("a flipped bit anywhere in a bundle is refused with the file's name") {
  const Sounds sounds;
  for (const char* file : kFiles) {
    const std::string whole = read_file(sounds.folder() / file);
    for (int eighth = 0; eighth < 8; ++eighth) {
      std::string damaged = whole;
      char& byte = damaged[whole.size() * static_cast<size_t>(eighth) / 8];
      byte = static_cast<char>(byte ^ (1 << eighth));
      write_file(sounds.folder() / file, damaged);
      INFO(file << ", eighth " << eighth);
      CHECK(contains(sounds.refused(), file));
    }
    write_file(sounds.folder() / file, whole);
  }
  CHECK(sounds.refused().empty());
}

TEST_CASE("a cut or missing file of a bundle is refused with its name") {
  const Sounds sounds;
  for (const char* file : kFiles) {
    const std::string whole = read_file(sounds.folder() / file);
    for (const size_t size : {size_t{0}, whole.size() / 2, whole.size() - 1}) {
      write_file(sounds.folder() / file, whole.substr(0, size));
      INFO(file << " cut to " << size);
      CHECK(contains(sounds.refused(), file));
    }
    fs::remove(sounds.folder() / file);
    CHECK(contains(sounds.refused(), std::string(file) + ": is missing"));
    write_file(sounds.folder() / file, whole);
  }
}

TEST_CASE("a damaged list of sums is refused, wherever the damage is") {
  const Sounds sounds;
  const fs::path list = sounds.folder() / "SHA256SUMS";
  const std::string whole = read_file(list);
  for (size_t at = 0; at < whole.size(); at += at < 90 ? 1 : 7) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(list, damaged);
    INFO("byte " << at);
    CHECK_FALSE(sounds.refused().empty());
  }
  for (const size_t lines : {0, 1, 3}) {  // cut at a line's end: what remains is true, but not all
    size_t end = 0;
    for (size_t i = 0; i < lines; ++i) end = whole.find('\n', end) + 1;
    write_file(list, whole.substr(0, end));
    INFO(lines << " lines left");
    CHECK_FALSE(sounds.refused().empty());
  }
  write_file(list, whole);
  write_file(sounds.folder() / "notes.txt", "a person's own");
  CHECK(sounds.refused().empty());
  fs::remove(list);
  CHECK(contains(sounds.refused(), "SHA256SUMS: is missing"));
}

TEST_CASE("the sums are what sha256sum writes") {
  const Sounds sounds;
  std::ifstream list(sounds.folder() / "SHA256SUMS");
  std::string sum, name;
  size_t files = 0;
  for (; list >> sum >> name; ++files) CHECK(sum == sha256_file(sounds.folder() / name));
  CHECK(files == 4);
}

TEST_CASE("a bundle whose golden answer this program does not give is refused") {
  Sounds sounds;
  TensorDict golden = read_safetensors(sounds.folder() / "golden.safetensors");
  golden["probabilities"] = golden["probabilities"].roll(1, 0);
  write_safetensors(sounds.folder() / "golden.safetensors", golden);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "golden"));

  golden["probabilities"].fill_(std::nan(""));  // no comparison with NaN may pass for agreement
  write_safetensors(sounds.folder() / "golden.safetensors", golden);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "golden"));

  golden.erase("probabilities");
  write_safetensors(sounds.folder() / "golden.safetensors", golden);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "golden.safetensors"));
}

TEST_CASE("other weights than the golden answer's are refused, though their file is whole") {
  Sounds sounds;
  TensorDict other = tensors_of(*sounds.model);
  other["head.weight"] = other["head.weight"] * -1;
  write_safetensors(sounds.folder() / "model.safetensors", other);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "golden"));
}

TEST_CASE("a newer format, an unknown plugin and broken JSON are told apart") {
  const Sounds sounds;
  const std::string whole = read_file(sounds.folder() / "bundle.json");
  const auto with = [&](const std::string& text) {
    write_file(sounds.folder() / "bundle.json", text);
    write_checksums(sounds.folder());
    return sounds.refused();
  };
  auto json = nlohmann::ordered_json::parse(whole);
  json["format"] = 2;
  CHECK(contains(with(json.dump()), "got 2, expected 1"));
  json["format"] = 1;
  json["model"]["name"] = "resnett";
  CHECK(contains(with(json.dump()), "resnett"));
  json["model"]["name"] = "resnet";
  json.erase("classes");
  CHECK(contains(with(json.dump()), "classes"));
  CHECK(contains(with("{"), "bundle.json: cannot be read"));
  CHECK(contains(with("[]"), "bundle.json"));
}

TEST_CASE("weights that do not fit are listed with both shapes and change nothing") {
  torch::manual_seed(2);
  Classifier model(std::make_shared<Net>(true), 3, {});
  TensorDict tensors = tensors_of(model);
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  const torch::Tensor before = tensors["encoder.layer.weight"].clone();
  tensors["encoder.layer.weight"].add_(1);
  tensors.erase("encoder.layer.bias");
  tensors["head.weight"] = torch::zeros({4, 8});
  tensors["extra"] = torch::zeros({1});
  const std::string text = refusal([&] { load_weights(model, tensors, "w.safetensors"); });
  INFO(text);
  CHECK(contains(text, "w.safetensors: 3 tensors do not fit"));
  CHECK(contains(text, "encoder.layer.bias is missing"));
  CHECK(contains(text, "head.weight has shape 4x8, expected 3x8"));
  CHECK(contains(text, "extra is unknown here"));
  CHECK(torch::equal(tensors_of(model).at("encoder.layer.weight"), before));
}

TEST_CASE("of many misfits the first ten are listed") {
  Classifier model(std::make_shared<Net>(true), 3, {});
  TensorDict tensors = tensors_of(model);
  for (int i = 0; i < 12; ++i) tensors["extra" + std::to_string(i)] = torch::zeros({1});
  const std::string text = refusal([&] { load_weights(model, tensors, "w"); });
  CHECK(contains(text, "12 tensors do not fit"));
  CHECK(contains(text, "…"));
  CHECK_FALSE(contains(text, "extra9 "));
}

TEST_CASE("the bundle of a run is its last checkpoint, a bundle is its own") {
  const TemporaryFolder run;
  CHECK(contains(refusal([&] { bundle_folder(run.path()); }), run.path().string()));
  fs::create_directories(run.path() / "checkpoints/last");
  write_file(run.path() / "checkpoints/last/bundle.json", "{}");
  CHECK(bundle_folder(run.path()) == run.path() / "checkpoints/last");
  CHECK(bundle_folder(run.path() / "checkpoints/last") == run.path() / "checkpoints/last");
}

TEST_CASE("a bundle without classes gives the features of the encoder it was written from, bit for bit") {
  const Headless sounds;
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK(bundle.info.task == "pretrain");
  CHECK(bundle.info.classes.empty());
  CHECK_FALSE(bundle.model->has_head());
  torch::NoGradGuard no_grad;
  const Batch batch = sounds.pipeline->run_front(sounds.dataset->load(2), 2);
  CHECK(torch::equal(bundle.model->encoder().forward(batch.x), sounds.model->encoder().forward(batch.x)));
  const TensorDict golden = read_safetensors(sounds.folder() / "golden.safetensors");
  CHECK(golden.count("features") == 1);
  CHECK(golden.at("features").sizes() == torch::IntArrayRef({sounds.model->encoder().width()}));
}

TEST_CASE("where classes are wanted a bundle without them is refused in one line") {
  const Headless sounds;
  const std::string text = refusal([&] { load_classifier(sounds.folder(), built_plugins()); });
  CHECK(contains(text, "got a pretrained encoder without classes, expected a fine-tuned bundle; see task: finetune"));
  const Sounds with_classes;
  CHECK(load_classifier(with_classes.folder(), built_plugins()).model->has_head());
}

TEST_CASE("a bundle without classes whose golden features this program does not give is refused") {
  const Headless sounds;
  TensorDict golden = read_safetensors(sounds.folder() / "golden.safetensors");
  golden["features"] = golden["features"] * 1.1 + 0.1;
  write_safetensors(sounds.folder() / "golden.safetensors", golden);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "golden"));
  golden.erase("features");
  write_safetensors(sounds.folder() / "golden.safetensors", golden);
  write_checksums(sounds.folder());
  CHECK(contains(sounds.refused(), "lacks signal or features"));
}

TEST_CASE("a bundle written before tasks were named is one of fine-tuning") {
  const Sounds sounds;
  auto json = nlohmann::ordered_json::parse(read_file(sounds.folder() / "bundle.json"));
  json.erase("task");
  json.erase("reconstructs");
  write_file(sounds.folder() / "bundle.json", json.dump());
  write_checksums(sounds.folder());
  const Bundle bundle = load_bundle(sounds.folder(), built_plugins());
  CHECK(bundle.info.task == "finetune");
  CHECK_FALSE(bundle.info.reconstructs);
}

TEST_CASE("a kept bundle is found by its name, and has nothing of what only resuming needs") {
  const Checkpoints checkpoints;
  Sounds sounds;
  for (const char* file : {"optim.safetensors", "state.json"}) write_file(sounds.folder() / file, "of the trainer");
  write_checksums(sounds.folder());
  keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird");
  const fs::path kept = bundle_folder("bird");
  CHECK(kept == checkpoints.folder.path() / "bird");
  CHECK(refusal([&] { verify_checksums(kept); }).empty());
  CHECK_FALSE(fs::exists(kept / "optim.safetensors"));
  CHECK_FALSE(fs::exists(kept / "state.json"));
  const Bundle bundle = load_bundle(kept, built_plugins());
  CHECK(torch::equal(sounds.answer(*bundle.model, *bundle.pipeline, 1),
                     sounds.answer(*sounds.model, *sounds.pipeline, 1)));
}

TEST_CASE("a kept bundle is replaced when the new one is whole, and not by a damaged one") {
  const Checkpoints checkpoints;
  Sounds sounds;
  keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird");
  const std::string first = load_bundle(bundle_folder("bird"), built_plugins()).id;
  sounds.info.views = 3;
  sounds.write();
  keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird");
  const std::string second = load_bundle(bundle_folder("bird"), built_plugins()).id;
  CHECK(second != first);
  write_file(sounds.folder() / "model.safetensors", "damaged");
  CHECK(contains(refusal([&] { keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird"); }),
                 "model.safetensors"));
  CHECK(load_bundle(bundle_folder("bird"), built_plugins()).id == second);
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(checkpoints.folder.path())) ++entries;
  CHECK(entries == 1);
}

TEST_CASE("a path comes before a name, and only the last part of a path in a folder can be one") {
  const Checkpoints checkpoints;
  const Sounds sounds;
  keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird");
  const TemporaryFolder other;
  CHECK(named_path(other.path() / "bird") == checkpoints.folder.path() / "bird");  // beside a config that says so
  CHECK(named_path("/nowhere/bird") == "/nowhere/bird");
  CHECK(named_path("owl") == "owl");
  fs::create_directories(other.path() / "bird");
  CHECK(named_path(other.path() / "bird") == other.path() / "bird");
  const std::string text = refusal([&] { bundle_folder("owl"); });
  CHECK(contains(text, "owl: got no run or bundle"));
  CHECK(contains(text, checkpoints.folder.path().string()));
}

TEST_CASE("checkpoints/NAME in a config is found though there is no such folder beside it, and so is a file") {
  const Checkpoints checkpoints;
  const Sounds sounds;
  const TemporaryFolder other;
  keep_bundle(sounds.folder(), checkpoints.folder.path() / "bird");
  const TensorDict tensors = {{"a", torch::ones({2})}};
  write_safetensors(checkpoints.folder.path() / "owl.safetensors", tensors);
  CHECK(named_path(other.path() / "checkpoints/bird") == checkpoints.folder.path() / "bird");
  CHECK(named_path(other.path() / "checkpoints/none") == other.path() / "checkpoints/none");
  for (const fs::path& from : {fs::path("owl.safetensors"), other.path() / "checkpoints/owl.safetensors"})
    CHECK(torch::equal(read_weights(from).at("a"), tensors.at("a")));
}

TEST_CASE("a cross-validation is no bundle, but each of its folds is") {
  const TemporaryFolder run;
  fs::create_directories(run.path() / "folds/1");
  CHECK(contains(refusal([&] { bundle_folder(run.path()); }), "folds/{fold}"));
}
