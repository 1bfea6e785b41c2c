// amae import and amae export as their users meet them.
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "program.h"
#include "tests/problems.h"

using namespace amae;

namespace {

constexpr const char* kTorchVectors = AMAE_TEST_DATA "/torch/";

class WeightsProgram {
 public:
  WeightsProgram() {
    write_file(path() / "config.yaml",
               "data: {name: synthetic_sounds, clips_per_class: 2, duration: 0.5, rate: 8 kHz}\n"
               "split: {by: fold, test: 5}\n"
               "transforms:\n"
               "  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}\n"
               "  - {name: log}\n"
               "  - {name: crop, frames: 32}\n"
               "model: {name: audiomae++, size: custom, dim: 4, depth: 1, heads: 1, decoder_dim: 4, decoder_depth: 1,\n"
               "        decoder_heads: 1, patch_time: 4, patch_frequency: 8}\n");
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }
  [[nodiscard]] Outcome import(const std::string& file, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {
        "import", file, "--to", (path() / "config.yaml").string(), "--out", (path() / "out.safetensors").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_amae(words, path());
  }
  [[nodiscard]] bool wrote() const { return std::filesystem::exists(path() / "out.safetensors"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE_METHOD(WeightsProgram, "amae import refuses a malicious or damaged file in one line, and writes nothing") {
  const auto refused = [&](const std::string& file, const std::string& part) {
    const Outcome outcome = import(file);
    INFO(outcome.err);
    CHECK(outcome.exit == 2);
    CHECK(contains(outcome.err, part));
    CHECK(contains(outcome.err, "error[TORCH]: " + file));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_FALSE(contains(outcome.out + outcome.err, "must never be seen"));
    CHECK_FALSE(wrote());
  };
  refused(std::string(kTorchVectors) + "evil_global.pt", "got posix.system, expected only tensors");
  refused(std::string(kTorchVectors) + "evil_stack_global.pt", "got builtins.eval, expected only tensors");
  refused(std::string(kTorchVectors) + "legacy.pt", "before PyTorch 1.6");
  const std::string whole = content_of(std::string(kTorchVectors) + "module.pt"), cut = (path() / "cut.pt").string();
  write_file(cut, whole.substr(0, whole.size() / 2));
  refused(cut, "was it cut?");
}

TEST_CASE_METHOD(WeightsProgram, "amae import of a foreign model exits 2 and says whose names are which") {
  const Outcome outcome = import(std::string(kTorchVectors) + "module.pt");
  INFO(outcome.err);
  CHECK(outcome.exit == 2);
  CHECK(contains(outcome.err, "got no tensor that fits this model"));
  CHECK(contains(outcome.err, "theirs are 0.bias"));
  CHECK_FALSE(wrote());
}

TEST_CASE_METHOD(WeightsProgram, "amae export and import pass weights on, and --strict exits 5") {
  const std::string source = (path() / "part.safetensors").string();
  // One tensor of the model, by hand: a safetensors file with encoder.norm.bias [4] F32.
  const std::string header = R"({"encoder.norm.bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  write_file(source, bytes + header + std::string(16, '\0'));
  Outcome outcome = import(source, {"--strict"});
  INFO(outcome.err);
  CHECK(outcome.exit == 5);
  CHECK(contains(outcome.out, "missing  encoder.norm.weight"));
  CHECK_FALSE(wrote());
  outcome = import(source, {"--json"});
  CHECK(outcome.exit == 0);
  CHECK(wrote());
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json.at("counts").at("loaded") == 1);
  CHECK(json.at("counts").at("missing").get<int>() > 10);
  CHECK(json.at("sha256").get<std::string>().size() == 64);
  CHECK(json.at("tensors").size() == json.at("counts").at("missing").get<size_t>() + 1);
  outcome =
      run_amae({"export", (path() / "out.safetensors").string(), (path() / "again.safetensors").string()}, path());
  CHECK(outcome.exit == 0);
  CHECK(contains(outcome.out, "1 tensors -> "));
  CHECK(contains(content_of(path() / "again.safetensors"), "encoder.norm.bias"));
}
