#include "task/predict.h"

#include "base/log.h"
#include "io/audio.h"
#include "task/finetune.h"
#include "testing.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// A run of one epoch and one clip of its data as a WAV file.
class Trained {
 public:
  explicit Trained(const std::vector<std::string>& overrides = {}) {
    log::set_level(log::Level::warning);
    Plan plan = configs.plan(kSmall, overrides);
    plan.config.train.epochs = 1;
    finetune(plan, {{"test"}, "cpu"}, [&] { return configs.path() / "run"; });
    registry = plan.registry;
    bundle = load_bundle(bundle_folder(configs.path() / "run"), *registry);
    samples = registry->make_dataset(plan.config.data)->load(7).samples;
  }
  [[nodiscard]] std::string file(const std::string& name, const torch::Tensor& x, double rate) const {
    write_wav(configs.path() / name, x, rate);
    return (configs.path() / name).string();
  }
  Prediction predict(const std::string& path, int64_t top_k = 10) const {
    return predict_file(bundle, *registry, path, top_k, torch::kCPU);
  }
  [[nodiscard]] std::string refused(const std::string& path) const {
    return text_of(problems_of([&] { predict(path); }));
  }

  Configs configs;
  std::shared_ptr<const Registry> registry;
  Bundle bundle;
  torch::Tensor samples;  ///< [1, 4000] at 8 kHz
};

}  // namespace

TEST_CASE("a prediction has every class once, best first, with scores that add up to one") {
  const Trained trained;
  const Prediction prediction = trained.predict(trained.file("a.wav", trained.samples, 8000));
  REQUIRE(prediction.top.size() == 10);
  double sum = 0;
  for (size_t i = 0; i < 10; ++i) {
    sum += prediction.top[i].score;
    if (i > 0) CHECK(prediction.top[i - 1].score >= prediction.top[i].score);
  }
  CHECK(std::abs(sum - 1) < 1e-5);  // ten float32 probabilities
  CHECK(trained.predict(prediction.path, 3).top.size() == 3);
  CHECK(trained.predict(prediction.path, 3).top[0] == prediction.top[0]);
}

TEST_CASE("a file longer or shorter than the clips of training is answered too") {
  const Trained trained;
  CHECK(trained.predict(trained.file("long.wav", trained.samples.repeat({1, 5}), 8000)).top.size() == 10);
  CHECK(trained.predict(trained.file("short.wav", trained.samples.slice(1, 0, 1000), 8000)).top.size() == 10);
}

TEST_CASE(
    "a file that would reach the model with another rate or other channels is refused, unless transforms adapt it") {
  const Trained trained;
  const std::string fast = trained.file("fast.wav", trained.samples, 16000);
  const std::string stereo = trained.file("stereo.wav", trained.samples.repeat({2, 1}), 8000);
  CHECK(contains(trained.refused(fast), fast + ": got audio [1, 4000] at 16000 Hz"));
  CHECK(contains(trained.refused(fast), "resample"));
  CHECK(contains(trained.refused(stereo), stereo));

  const Trained able(
      {"transforms=[{name: channels, rule: mono}, {name: resample, rate: 8 kHz}, {name: mel_spectrogram, "
       "n_fft: 256, hop: 128, n_mels: 16}, {name: log}]"});
  CHECK(able.refused(able.file("fast.wav", able.samples, 16000)).empty());
  CHECK(able.refused(able.file("stereo.wav", able.samples.repeat({2, 1}), 8000)).empty());
}

TEST_CASE("a file that is missing or no audio is refused by its name") {
  const Trained trained;
  CHECK(contains(trained.refused("/nowhere/a.wav"), "/nowhere/a.wav"));
  write_file(trained.configs.path() / "text.wav", "this is a text");
  CHECK(contains(trained.refused((trained.configs.path() / "text.wav").string()), "text.wav"));
}
