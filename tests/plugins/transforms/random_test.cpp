// What every transform of these three plugins must keep: repeatable draws, items that do not see each other, untouched
// inputs, shapes as announced. And the laws of gain, roll and noise.
#include <cmath>
#include <functional>
#include <memory>

#include "testing.h"
#include "transforms/augment/band_eq.h"
#include "transforms/augment/between_class.h"
#include "transforms/augment/energy_crop.h"
#include "transforms/augment/mixup.h"
#include "transforms/augment/spec_augment.h"
#include "transforms/spectral/log.h"
#include "transforms/spectral/mel_spectrogram.h"
#include "transforms/wave/channels.h"
#include "transforms/wave/fixed_length.h"
#include "transforms/wave/gain.h"
#include "transforms/wave/noise.h"
#include "transforms/wave/random_view.h"
#include "transforms/wave/resample.h"
#include "transforms/wave/roll.h"
#include "transforms/wave/speed_views.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::stage;

struct Subject {
  const char* name;
  std::shared_ptr<Transform> transform;
  Spec input;
  bool mixes = false;
};

std::vector<Subject> subjects() {
  const Spec mono{Domain::audio, {1, 3000}, 44100}, stereo{Domain::audio, {2, 3000}, 44100},
      iq{Domain::iq, {2, 128}, 200000};
  const Spec picture{Domain::spectrogram, {2, 40, 60}, 62.5};
  return {
      {"channels", std::make_shared<Channels>(ChannelsOptions{}), stereo},
      {"resample", std::make_shared<Resample>(ResampleOptions{.rate = 16000}), stereo},
      {"fixed_length", std::make_shared<FixedLength>(FixedLengthOptions{.duration = 0.1, .pad = "tile"}), stereo},
      {"speed_views", std::make_shared<SpeedViews>(SpeedViewsOptions{}), mono},
      {"mel_spectrogram", std::make_shared<MelSpectrogram>(MelSpectrogramOptions{}), stereo},
      {"log", std::make_shared<Log>(LogOptions{}), picture},
      {"db", std::make_shared<Decibel>(DecibelOptions{}), picture},
      {"random_view", std::make_shared<RandomView>(), picture},
      {"gain of audio", std::make_shared<Gain>(GainOptions{.p = 0.7}), stereo},
      {"gain of power", std::make_shared<Gain>(GainOptions{}), picture},
      {"roll of iq", std::make_shared<Roll>(RollOptions{}), iq},
      {"roll of power", std::make_shared<Roll>(RollOptions{}), picture},
      {"noise", std::make_shared<Noise>(NoiseOptions{}), iq},
      {"energy_crop", std::make_shared<EnergyCrop>(EnergyCropOptions{.frames = 20}), picture},
      {"energy_crop longer", std::make_shared<EnergyCrop>(EnergyCropOptions{.frames = 77}), picture},
      {"spec_augment", std::make_shared<SpecAugment>(SpecAugmentOptions{}), picture},
      {"band_eq", std::make_shared<BandEq>(BandEqOptions{}), picture},
      {"mixup", std::make_shared<Mixup>(MixupOptions{}), picture, true},
      {"between_class", std::make_shared<BetweenClass>(BetweenClassOptions{}), picture, true},
      {"between_class of audio", std::make_shared<BetweenClass>(BetweenClassOptions{}), mono, true},
  };
}

Batch input_of(const Spec& spec, int64_t items = 4) {
  std::vector<int64_t> sizes = spec.shape;
  sizes.insert(sizes.begin(), items);
  return batch_of(spec.domain == Domain::spectrogram ? testing::power(sizes) : testing::noise(sizes), spec.rate_hz);
}

TEST_CASE("a transform gives what it announced, in training and in evaluation") {
  for (const auto& [name, transform, spec, mixes] : subjects()) {
    INFO(name);
    const Batch train = applied(*transform, input_of(spec));
    const Spec announced = transform->output(spec, Mode::train);
    CHECK(train.x[0].sizes() == at::IntArrayRef(announced.shape));
    CHECK(train.rate_hz == announced.rate_hz);
    CHECK(train.x.scalar_type() == at::kFloat);
    CHECK(at::isfinite(train.x).all().item<bool>());
    if (!transform->random()) continue;
    Batch eval = input_of(spec);
    transform->apply_eval(eval, 1, 4);
    CHECK(eval.x[0].sizes() == at::IntArrayRef(transform->output(spec, Mode::eval).shape));
  }
}

TEST_CASE("a transform never writes into the memory that it was given") {
  for (const auto& [name, transform, spec, mixes] : subjects()) {
    INFO(name);
    const Batch batch = input_of(spec);
    const at::Tensor x = batch.x.clone(), y = batch.y.clone();
    const Batch out = applied(*transform, batch);
    CHECK(at::equal(batch.x, x));
    CHECK(at::equal(batch.y, y));
    if (!transform->random()) continue;
    Batch eval = batch;
    transform->apply_eval(eval, 1, 2);
    CHECK(at::equal(batch.x, x));
  }
}

TEST_CASE("an item of a batch of four gets what it gets alone") {
  for (const auto& [name, transform, spec, mixes] : subjects()) {
    if (mixes) continue;
    INFO(name);
    const Batch batch = input_of(spec), all = applied(*transform, batch);
    for (int64_t i = 0; i < 4; ++i) CHECK(at::equal(applied(*transform, testing::single(batch, i)).x[0], all.x[i]));
  }
}

TEST_CASE("random transforms repeat from seed, epoch, id and index, and change with each of them") {
  for (const auto& [name, transform, spec, mixes] : subjects()) {
    if (!transform->random()) continue;
    INFO(name);
    const Batch batch = input_of(spec);
    const at::Tensor first = applied(*transform, batch).x;
    CHECK(at::equal(first, applied(*transform, batch).x));
    if (std::string(name) == "energy_crop longer") continue;  // nothing to choose
    // Few draws (a view of two, a probability) may agree by chance for one other stage; not for all of eight.
    const auto differs = [&](const std::function<Stage(uint64_t)>& other) {
      for (uint64_t n = 1; n <= 8; ++n) {
        if (!at::equal(first, applied(*transform, batch, other(n)).x)) return true;
      }
      return false;
    };
    CHECK(differs([](uint64_t n) { return stage(7 + n); }));
    CHECK(differs([](uint64_t n) { return stage(7, static_cast<int64_t>(n)); }));
    CHECK(differs([](uint64_t n) { return stage(7, 0, 3 + static_cast<uint32_t>(n)); }));
    Batch renamed = batch;
    for (auto& id : renamed.ids) id += 1000;
    bool changed = false;
    for (int64_t epoch = 0; epoch < 8; ++epoch) {
      changed |=
          !at::equal(applied(*transform, batch, stage(7, epoch)).x, applied(*transform, renamed, stage(7, epoch)).x);
    }
    CHECK(changed);
  }
}

TEST_CASE("gain multiplies amplitude and power by the same decibels, within max_db") {
  const Gain gain({.max_db = 6});
  const at::Tensor audio = applied(gain, batch_of(at::ones({200, 1, 4}))).x.select(2, 0).flatten();
  const at::Tensor power = applied(gain, batch_of(at::ones({200, 1, 2, 2}))).x.select(3, 0).select(2, 0).flatten();
  CHECK(at::allclose(audio.square(), power, 1e-5));  // float32 rounding
  const at::Tensor db = power.log10() * 10;
  CHECK(db.min().item<double>() >= -6.0001);
  CHECK(db.max().item<double>() <= 6.0001);
  CHECK(db.min().item<double>() < -5);  // 200 draws leave the outermost twelfth empty with probability 3e-8
  CHECK(db.max().item<double>() > 5);
}

TEST_CASE("gain with p acts on that share of the examples") {
  const at::Tensor y = applied(Gain({.p = 0.25}), batch_of(at::ones({400, 1, 2}))).x.select(2, 0);
  const auto touched = (y != 1).sum().item<int64_t>();
  CHECK(std::abs(touched - 100) < 45);  // five standard deviations of B(400, 1/4)
}

TEST_CASE("roll moves every sample and loses none") {
  const Batch batch = input_of({Domain::spectrogram, {2, 3, 50}, 10}, 8);
  const at::Tensor y = applied(Roll({}), batch).x;
  for (int64_t i = 0; i < 8; ++i) {
    bool found = false;
    for (int64_t shift = 0; shift < 50; ++shift) found |= at::equal(y[i], batch.x[i].roll({shift}, {2}));
    CHECK(found);
  }
}

TEST_CASE("roll reaches all rotations, or those that max_fraction allows") {
  const at::Tensor x = at::arange(10, at::kFloat).view({1, 1, 10}).expand({500, 1, 10}).contiguous();
  const auto shifts = [&](double fraction) {
    const at::Tensor first = applied(Roll({.max_fraction = fraction}), batch_of(x)).x.select(2, 0);
    return std::get<0>(at::_unique((10 - first).remainder(10).flatten())).to(at::kLong);
  };
  CHECK(at::equal(shifts(1), at::arange(10)));
  CHECK(at::equal(shifts(0.3), at::arange(3)));
  CHECK(at::equal(shifts(0), at::arange(1)));
}

TEST_CASE("evaluation view v of V is rolled by v/V of the clip") {
  const at::Tensor x = testing::noise({2, 1, 100});
  for (int64_t view = 0; view < 4; ++view) {
    Batch batch = batch_of(x);
    Roll({}).apply_eval(batch, view, 4);
    CHECK(at::equal(batch.x, x.roll({25 * view}, {2})));
  }
}

TEST_CASE("noise has the power that its ratio says, is white and centred") {
  const at::Tensor x = testing::noise({3, 2, 20001}) * 5;
  const at::Tensor n = applied(Noise({.snr_db = {10, 10}}), batch_of(x)).x - x;
  for (int64_t i = 0; i < 3; ++i) {
    const double power = n[i].square().mean().item<double>();
    // 40002 samples: relative deviation of the mean power is sqrt(2/40002) = 0.7 %; five of them.
    CHECK(std::abs(power / (x[i].square().mean().item<double>() / 10) - 1) < 0.035);
    CHECK(std::abs(n[i].mean().item<double>()) < 5 * std::sqrt(power / 40002));
    const at::Tensor line = n[i].flatten();
    CHECK(std::abs((line.slice(0, 1) * line.slice(0, 0, -1)).mean().item<double>()) < 5 * power / 200);
  }
}

TEST_CASE("noise leaves silence silent and refuses a reversed interval") {
  CHECK(applied(Noise({}), batch_of(at::zeros({2, 1, 100}))).x.abs().max().item<float>() == 0);
  CHECK(testing::refused_field([] { NoiseOptions{.snr_db = {20, 10}}.check(); }) == "snr_db");
  CHECK(testing::refused_field([] { NoiseOptions{.snr_db = {20}}.check(); }) == "snr_db");
  NoiseOptions{.snr_db = {10, 10}}.check();
}

}  // namespace
}  // namespace amae
