#include "task/transform_chain.h"

#include <cmath>
#include <numbers>

#include "base/log.h"
#include "io/audio.h"
#include "io/npy.h"
#include "task/finetune.h"
#include "task/transform_run.h"
#include "testing.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::vector<fs::path> kPlugins = {AMAE_BUILD_DIR "/plugins"};

Chain chain_of(const std::string& text) { return read_chain(text, "CHAIN", kPlugins); }

std::string refused(const std::string& text) {
  return text_of(problems_of([&] { chain_of(text); }));
}

/// Half a second of a chord in stereo at 8 kHz.
Signal chord() {
  const at::Tensor t = at::arange(4000, at::kFloat) / 8000;
  const at::Tensor left =
      0.3 * at::sin(2 * std::numbers::pi * 440 * t) + 0.2 * at::sin(2 * std::numbers::pi * 1250 * t);
  return {at::stack({left, 0.5 * left}), 8000, Domain::audio};
}

std::vector<StageOutput> stages(const Chain& chain, const Signal& signal = chord()) {
  std::vector<StageOutput> outputs;
  run_chain(chain, signal, "a.wav", [&](const StageOutput& output) { outputs.push_back(output); });
  return outputs;
}

std::vector<std::string> names_of(const Chain& chain) {
  std::vector<std::string> names;
  for (const Component& transform : chain.transforms) names.push_back(transform.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a chain is a name, a map, a list or nothing") {
  CHECK(names_of(chain_of("log")) == Names{"log"});
  CHECK(names_of(chain_of("{name: log, eps: 1e-5}")) == Names{"log"});
  CHECK(names_of(chain_of("[{name: channels, rule: mono}, mel_spectrogram, log]")) ==
        Names{"channels", "mel_spectrogram", "log"});
  CHECK(names_of(chain_of("[]")).empty());
}

TEST_CASE("a mistake in a chain of the command line is told with its column") {
  CHECK(contains(refused("mel_spectogram"), "CHAIN:1:1: transforms.mel_spectogram: got unknown transform"));
  CHECK(contains(refused("mel_spectogram"), "did you mean mel_spectrogram?"));
  CHECK(contains(refused("{name: mel_spectrogram, hop: -1}"), "CHAIN:1:30: transforms.mel_spectrogram.hop: got -1"));
  CHECK(contains(refused("[log, {name: mel_spectrogram, hops: 1}]"), "CHAIN:1:31: transforms.mel_spectrogram.hops"));
  CHECK(contains(refused("[{name: log}, {name: "), "CHAIN:1:"));
  CHECK(contains(refused("{eps: 1}"), "CHAIN:1:1: transforms.0.name"));
  CHECK(contains(refused(""), "CHAIN: got no transform"));
  CHECK(contains(refused("/nowhere/config.yaml"), "/nowhere/config.yaml"));
  CHECK(contains(refused("missing.yml"), "missing.yml"));
}

TEST_CASE("a config gives its transforms, whatever else it holds, and those to be fitted are left out") {
  const Configs configs;
  const Chain whole = chain_of(configs.write("whole.yaml", kSmall));
  CHECK(names_of(whole) == Names{"mel_spectrogram", "log"});
  CHECK(whole.left_out == Names{"standardize"});
  const Chain part = chain_of(configs.write("part.yaml", "transforms: [log]\nnotes: my own\n"));
  CHECK(names_of(part) == Names{"log"});
  CHECK(contains(refused(configs.write("none.yaml", "data: x\n")), "none.yaml:1:1: transforms: got no value"));
  CHECK(contains(refused(configs.write("bad.yaml", "transforms:\n  - log\n  - {name: log, epps: 1}\n")),
                 "bad.yaml:3:17: transforms.log.epps"));
}

TEST_CASE("a trained run gives its whole front end, with what was fitted") {
  log::set_level(log::Level::warning);
  const Configs configs;
  Plan plan = configs.plan(kSmall);
  plan.config.train.epochs = 1;
  finetune(plan, {{"test"}, "cpu"}, [&] { return configs.path() / "run"; });
  const Chain chain = chain_of((configs.path() / "run").string());
  CHECK(names_of(chain) == Names{"mel_spectrogram", "log", "standardize"});
  CHECK(chain.left_out.empty());
  const auto outputs = stages(chain, {chord().samples.narrow(0, 0, 1), 8000, Domain::audio});
  const at::Tensor &log = outputs[2].x, &standard = outputs[3].x;
  const TensorDict& state = chain.state;
  const at::Tensor mean = state.at("2.mean"), deviation = state.at("2.std");
  // One rounding of float32 of numbers below 30
  CHECK(at::allclose(standard, (log - mean.view({1, -1, 1})) / deviation.view({1, -1, 1}), 1e-5, 1e-5));
}

TEST_CASE("every stage shows its numbers with the sizes and the rate that they have") {
  const auto outputs =
      stages(chain_of("[{name: channels, rule: mono}, {name: resample, rate: 4 kHz}, "
                      "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]"));
  REQUIRE(outputs.size() == 5);
  CHECK(outputs[0].name == "(file)");
  CHECK(outputs[0].spec.text() == "audio [2, 4000] at 8000 Hz");
  CHECK(outputs[1].spec.text() == "audio [1, 4000] at 8000 Hz");
  CHECK(outputs[2].spec.text() == "audio [1, 2000] at 4000 Hz");
  CHECK(outputs[3].spec.text() == "spectrogram [1, 16, 16] at 31.25 Hz");
  CHECK(outputs[4].name == "log");
  CHECK(outputs[1].x.equal(chord().samples.mean(0, true)));
  for (const StageOutput& output : outputs) CHECK(output.x.sizes() == at::IntArrayRef(output.spec.shape));
}

TEST_CASE("random transforms do what they do in evaluation: nothing") {
  const auto outputs = stages(chain_of("[{name: gain, max_db: 20}, {name: noise, p: 1}]"));
  REQUIRE(outputs.size() == 3);
  CHECK(outputs[2].x.equal(chord().samples));
}

TEST_CASE("a transform that does not take what arrives is refused with both places") {
  const Chain chain = chain_of("[mel_spectrogram, {name: resample, rate: 4 kHz}]");
  const std::string text = text_of(problems_of([&] { stages(chain); }));
  CHECK(contains(text, "CHAIN:1:19: transforms.resample.input"));
  CHECK(contains(text, "transforms.mel_spectrogram at CHAIN:1:2"));
  const Chain short_chain = chain_of("{name: mel_spectrogram, n_fft: 65536}");
  CHECK(contains(text_of(problems_of([&] { stages(short_chain); })), "a.wav"));
}

TEST_CASE("an output is written as numbers, as a picture or as sound, by its name") {
  const Configs configs;
  const auto path = [&](const char* name) { return configs.path() / name; };
  const auto outputs = stages(chain_of("[{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}]"));
  write_output(path("mel.npy"), outputs[1], "a.wav");
  CHECK(read_npy(path("mel.npy")).equal(outputs[1].x));
  write_output(path("mel.png"), outputs[1], "a.wav");
  CHECK(read_file(path("mel.png")).substr(1, 3) == "PNG");
  write_output(path("sound.png"), outputs[0], "a.wav");
  CHECK(read_file(path("sound.png")).substr(1, 3) == "PNG");
  write_output(path("sound.wav"), outputs[0], "a.wav");
  const Signal back = read_audio(path("sound.wav"));
  CHECK(back.rate_hz == 8000);
  CHECK((back.samples - outputs[0].x).abs().max().item<double>() <= 0.5 / 32768 * 1.01);  // 16 bits, rounded

  const auto refused_output = [&](const char* name, const StageOutput& output) {
    return text_of(problems_of([&] { write_output(path(name), output, "a.wav"); }));
  };
  CHECK(contains(refused_output("mel.wav", outputs[1]), "mel.wav: got spectrogram"));
  CHECK(contains(refused_output("mel.txt", outputs[1]), "mel.txt: got the ending '.txt'"));
  StageOutput broken = outputs[0];
  broken.x = broken.x / 0;
  CHECK(contains(refused_output("broken.wav", broken), "not finite"));
  write_output(path("broken.png"), broken, "a.wav");  // a picture of what went wrong is what one wants then
  CHECK(fs::exists(path("broken.png")));
}
