// What every random transform of the libraries wave, iq_frames, perturb, environment and augment must keep, whatever it
// does: it repeats from its draws, its items do not see each other (unless it mixes them), p = 0 is off, memory that it
// was given is not written to, shapes are as announced, and nothing makes it give numbers that are not finite.
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "io/audio.h"
#include "testing.h"
#include "transforms/augment/band_eq.h"
#include "transforms/augment/between_class.h"
#include "transforms/augment/crop.h"
#include "transforms/augment/cutmix.h"
#include "transforms/augment/energy_crop.h"
#include "transforms/augment/mixup.h"
#include "transforms/augment/random_erasing.h"
#include "transforms/augment/spec_augment.h"
#include "transforms/augment/warp.h"
#include "transforms/environment/background.h"
#include "transforms/environment/reverb.h"
#include "transforms/iq_frames/cfo.h"
#include "transforms/iq_frames/conjugate.h"
#include "transforms/iq_frames/phase_rotation.h"
#include "transforms/perturb/clip.h"
#include "transforms/perturb/low_pass.h"
#include "transforms/perturb/pitch_shift.h"
#include "transforms/perturb/polarity.h"
#include "transforms/perturb/random_filter.h"
#include "transforms/perturb/speed.h"
#include "transforms/perturb/time_stretch.h"
#include "transforms/wave/gain.h"
#include "transforms/wave/noise.h"
#include "transforms/wave/random_view.h"
#include "transforms/wave/roll.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::stage;

/// Three short recordings, written once.
std::string recordings() {
  static const TemporaryFolder folder;
  if (!std::filesystem::exists(folder.path() / "2.wav")) {
    for (int64_t k = 0; k < 3; ++k) {
      const at::Tensor x = testing::noise({2, 900 + 100 * k}, static_cast<uint64_t>(90 + k)) * 0.1;
      write_wav(folder.path() / (std::to_string(k) + ".wav"), x, 16000);
    }
  }
  return folder.path().string();
}

struct Subject {
  std::string name;
  Spec input;
  std::function<std::unique_ptr<Transform>(double p)> make;
  bool has_p = true;
  bool mixes = false;
};

template <class T, class Options>
Subject subject(std::string name, Spec input, Options options) {
  return {std::move(name), std::move(input), [options](double p) {
            Options used = options;
            used.p = p;
            return std::make_unique<T>(used);
          }};
}

template <class T, class Options>
Subject without_p(std::string name, Spec input, Options options) {
  return {std::move(name), std::move(input), [options](double) { return std::make_unique<T>(options); }, false};
}

Subject mixing(Subject subject) {
  subject.mixes = true;
  return subject;
}

std::vector<Subject> subjects() {
  const Spec sound{Domain::audio, {2, 3000}, 8000}, iq{Domain::iq, {2, 128}, 200000};
  const Spec picture{Domain::spectrogram, {2, 40, 60}, 62.5};
  const std::string folder = recordings();
  std::vector<Subject> all = {
      subject<Gain>("gain of audio", sound, GainOptions{}),
      subject<Gain>("gain of power", picture, GainOptions{}),
      subject<Noise>("noise of audio", sound, NoiseOptions{}),
      subject<Noise>("noise of iq", iq, NoiseOptions{}),
      without_p<Roll>("roll of audio", sound, RollOptions{}),
      without_p<Roll>("roll of iq", iq, RollOptions{}),
      subject<PhaseRotation>("phase_rotation", iq, PhaseRotationOptions{}),
      subject<PhaseRotation>("phase_rotation by quarters", iq, PhaseRotationOptions{.angles = "quarters"}),
      subject<Cfo>("cfo", iq, CfoOptions{}),
      subject<Cfo>("cfo in Hz", iq, CfoOptions{.offset_hz = {-500, 500}}),
      subject<Conjugate>("conjugate", iq, ConjugateOptions{}),
      without_p<Roll>("roll of power", picture, RollOptions{}),
      {"random_view", picture, [](double) { return std::make_unique<RandomView>(); }, false},
      subject<Speed>("speed", sound, SpeedOptions{}),
      subject<TimeStretch>("time_stretch", sound, TimeStretchOptions{}),
      subject<PitchShift>("pitch_shift", sound, PitchShiftOptions{}),
      subject<RandomFilter>("random_filter", sound, RandomFilterOptions{}),
      subject<LowPass>("low_pass", sound, LowPassOptions{}),
      subject<Polarity>("polarity", sound, PolarityOptions{}),
      subject<Clip>("clip", sound, ClipOptions{}),
      subject<Background>("background", sound, BackgroundOptions{.folder = folder}),
      subject<Reverb>("reverb, synthetic", sound, ReverbOptions{}),
      subject<Reverb>("reverb, recorded", sound, ReverbOptions{.folder = folder}),
      without_p<Crop>("crop of audio", sound, CropOptions{.frames = 700, .eval = "center"}),
      without_p<Crop>("crop of power", picture, CropOptions{.frames = 20}),
      without_p<EnergyCrop>("energy_crop", picture, EnergyCropOptions{.frames = 20}),
      subject<SpecAugment>("spec_augment", picture, SpecAugmentOptions{}),
      subject<BandEq>("band_eq", picture, BandEqOptions{}),
      subject<Warp>("warp", picture, WarpOptions{}),
      subject<RandomErasing>("random_erasing, mean", picture, RandomErasingOptions{}),
      subject<RandomErasing>("random_erasing, noise", picture, RandomErasingOptions{.count = 2, .fill = "noise"}),
      mixing(subject<Mixup>("mixup", picture, MixupOptions{})),
      mixing(subject<BetweenClass>("between_class of power", picture, BetweenClassOptions{.label_smoothing = 0})),
      mixing(subject<BetweenClass>("between_class of audio", sound, BetweenClassOptions{.label_smoothing = 0})),
      mixing(subject<Cutmix>("cutmix", picture, CutmixOptions{})),
      mixing(subject<Cutmix>("cutmix in time", picture, CutmixOptions{.patch = "time"})),
  };
  for (const char* color : {"pink", "brown", "blue", "violet"}) {
    all.push_back(subject<Noise>(std::string("noise, ") + color, sound, NoiseOptions{.color = color}));
  }
  return all;
}

constexpr double kSometimes = 0.7;  // some items are changed and some are not

Batch input_of(const Spec& spec, int64_t items = 8) {
  std::vector<int64_t> sizes = spec.shape;
  sizes.insert(sizes.begin(), items);
  return batch_of(spec.domain == Domain::spectrogram ? testing::power(sizes) : testing::noise(sizes) * 0.3,
                  spec.rate_hz);
}

/// Items in another order, with their labels and ids.
Batch permuted(const Batch& batch, const std::vector<int64_t>& order) {
  const at::Tensor index = at::tensor(order);
  Batch result{batch.x.index_select(0, index), batch.y.index_select(0, index), {}, batch.rate_hz};
  for (const int64_t i : order) result.ids.push_back(batch.ids[i]);
  return result;
}

TEST_CASE("every random transform repeats from its stage and ids, in one object or another") {
  for (const Subject& s : subjects()) {
    INFO(s.name);
    const auto transform = s.make(kSometimes);
    REQUIRE(transform->random());
    const Batch batch = input_of(s.input);
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      const Batch first = applied(*transform, batch, stage(7, epoch));
      const Batch second = applied(*transform, batch, stage(7, epoch));
      const Batch other = applied(*s.make(kSometimes), batch, stage(7, epoch));
      CHECK(at::equal(first.x, second.x));
      CHECK(at::equal(first.y, second.y));
      CHECK(at::equal(first.x, other.x));
      CHECK(at::equal(first.y, other.y));
    }
  }
}

TEST_CASE("every random transform does another thing in another epoch, run, place or example") {
  for (const Subject& s : subjects()) {
    INFO(s.name);
    const auto transform = s.make(kSometimes);
    const Batch batch = input_of(s.input);
    const at::Tensor first = applied(*transform, batch).x;
    // Few draws may agree by chance for one other stage (polarity's eight signs: 0.4 %), but not for all of eight.
    const auto differs = [&](const std::function<Stage(int64_t)>& other, int64_t id_shift = 0) {
      Batch renamed = batch;
      for (int64_t n = 1; n <= 8; ++n) {
        for (auto& id : renamed.ids) id += id_shift;
        if (!at::equal(first, applied(*transform, renamed, other(n)).x)) return true;
      }
      return false;
    };
    CHECK(differs([](int64_t n) { return stage(7, n); }));
    CHECK(differs([](int64_t n) { return stage(static_cast<uint64_t>(7 + n)); }));
    CHECK(differs([](int64_t n) { return stage(7, 0, static_cast<uint32_t>(3 + n)); }));
    CHECK(differs([](int64_t) { return stage(); }, 1000));
  }
}

TEST_CASE("every random transform gives an item the same numbers wherever it stands, and alone, unless it mixes") {
  for (const Subject& s : subjects()) {
    if (s.mixes) continue;
    INFO(s.name);
    const auto transform = s.make(kSometimes);
    const Batch batch = input_of(s.input), all = applied(*transform, batch);
    const std::vector<int64_t> order = {5, 2, 7, 0, 1, 6, 4, 3};
    CHECK(at::equal(applied(*transform, permuted(batch, order)).x, permuted(all, order).x));
    for (int64_t i = 0; i < 8; ++i) {
      CHECK(at::equal(applied(*transform, testing::single(batch, i)).x[0], all.x[i]));
    }
  }
}

TEST_CASE("every random transform gives the same numbers in several threads at once") {
  for (const Subject& s : subjects()) {
    INFO(s.name);
    const auto transform = s.make(kSometimes), alone = s.make(kSometimes);
    const Batch batch = input_of(s.input);
    constexpr int64_t kThreads = 4;
    std::vector<at::Tensor> expected, got(kThreads);
    for (int64_t t = 0; t < kThreads; ++t) expected.push_back(applied(*alone, batch, stage(7, t)).x);
    std::vector<std::thread> threads;
    for (int64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] { got[t] = applied(*transform, batch, stage(7, t)).x; });
    }
    for (auto& thread : threads) thread.join();
    for (int64_t t = 0; t < kThreads; ++t) CHECK(at::equal(got[t], expected[t]));
  }
}

TEST_CASE("p = 0 switches every random transform off that has a p") {
  for (const Subject& s : subjects()) {
    if (!s.has_p) continue;
    INFO(s.name);
    const Batch batch = input_of(s.input), out = applied(*s.make(0), batch);
    CHECK(at::equal(out.x, batch.x));
    CHECK(at::equal(out.y, batch.y));
    CHECK_FALSE(at::equal(applied(*s.make(1), batch).x, batch.x));
  }
}

TEST_CASE("no random transform writes into the memory that it was given") {
  for (const Subject& s : subjects()) {
    INFO(s.name);
    for (const double p : {0.0, kSometimes, 1.0}) {
      const Batch batch = input_of(s.input);
      const at::Tensor x = batch.x.clone(), y = batch.y.clone();
      const auto transform = s.make(p);
      applied(*transform, batch);
      Batch evaluated = batch;
      transform->apply_eval(evaluated, 1, 2);
      CHECK(at::equal(batch.x, x));
      CHECK(at::equal(batch.y, y));
    }
  }
}

TEST_CASE("every random transform gives the shape and rate that it announced, in training and in evaluation") {
  for (const Subject& s : subjects()) {
    INFO(s.name);
    const auto transform = s.make(kSometimes);
    const Batch train = applied(*transform, input_of(s.input));
    const Spec announced = transform->output(s.input, Mode::train);
    CHECK(train.x[0].sizes() == at::IntArrayRef(announced.shape));
    CHECK(train.rate_hz == announced.rate_hz);
    CHECK(train.x.scalar_type() == at::kFloat);
    Batch eval = input_of(s.input);
    transform->apply_eval(eval, 1, 4);
    CHECK(eval.x[0].sizes() == at::IntArrayRef(transform->output(s.input, Mode::eval).shape));
  }
}

TEST_CASE("every random transform is finite on silence, on a faint click, on full scale and on tiny items") {
  for (const Subject& s : subjects()) {
    const auto transform = s.make(1);
    const auto finite = [&](const at::Tensor& x) {
      const Batch out = applied(*transform, batch_of(x, s.input.rate_hz));
      return at::isfinite(out.x).all().item<bool>() && at::isfinite(out.y).all().item<bool>();
    };
    const Batch batch = input_of(s.input);
    at::Tensor click = at::zeros_like(batch.x);
    click.select(-1, 30).fill_(1e-30);
    INFO(s.name);
    CHECK(finite(at::zeros_like(batch.x)));
    CHECK(finite(click));
    CHECK(finite(batch.x.sign()));
    if (s.input.domain == Domain::spectrogram) continue;  // their options ask for as many bins and frames as they use
    for (const int64_t n : {1, 2, 3, 17}) {
      INFO(n << " samples");
      CHECK(finite(batch.x.narrow(-1, 0, n).contiguous()));
      CHECK(finite(at::zeros({2, 2, n})));
    }
  }
}

}  // namespace
}  // namespace amae
