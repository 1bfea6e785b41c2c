// What the deterministic transforms must keep: items that do not see each other, untouched inputs, shapes as announced
// (the random ones: random_contract_test.cpp). And the laws of gain and roll.
#include <cmath>
#include <memory>

#include "testing.h"
#include "transforms/spectral/clip_standardize.h"
#include "transforms/spectral/log.h"
#include "transforms/spectral/mel_spectrogram.h"
#include "transforms/wave/channels.h"
#include "transforms/wave/fixed_length.h"
#include "transforms/wave/gain.h"
#include "transforms/wave/resample.h"
#include "transforms/wave/roll.h"
#include "transforms/wave/speed_views.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

struct Deterministic {
  const char* name;
  std::shared_ptr<Transform> transform;
  Spec input;
};

std::vector<Deterministic> deterministic_transforms() {
  const Spec mono{Domain::audio, {1, 3000}, 44100}, stereo{Domain::audio, {2, 3000}, 44100};
  const Spec picture{Domain::spectrogram, {2, 40, 60}, 62.5};
  const MelSpectrogramOptions mel;  // not in the list: GCC 12 takes its many strings for uninitialised there
  return {
      {"channels", std::make_shared<Channels>(ChannelsOptions{}), stereo},
      {"resample", std::make_shared<Resample>(ResampleOptions{.rate = 16000}), stereo},
      {"fixed_length", std::make_shared<FixedLength>(FixedLengthOptions{.duration = 0.1, .pad = "tile"}), stereo},
      {"speed_views", std::make_shared<SpeedViews>(SpeedViewsOptions{}), mono},
      {"mel_spectrogram", std::make_shared<MelSpectrogram>(mel), stereo},
      {"log", std::make_shared<Log>(LogOptions{}), picture},
      {"db", std::make_shared<Decibel>(DecibelOptions{}), picture},
      {"clip_standardize", std::make_shared<ClipStandardize>(ClipStandardizeOptions{}), picture},
  };
}

Batch some_items_of(const Spec& spec, int64_t items = 4) {
  std::vector<int64_t> sizes = spec.shape;
  sizes.insert(sizes.begin(), items);
  return batch_of(spec.domain == Domain::spectrogram ? testing::power(sizes) : testing::noise(sizes), spec.rate_hz);
}

TEST_CASE("a deterministic transform gives what it announced, in training and in evaluation") {
  for (const auto& [name, transform, spec] : deterministic_transforms()) {
    INFO(name);
    const Batch train = applied(*transform, some_items_of(spec));
    const Spec announced = transform->output(spec, Mode::train);
    CHECK(train.x[0].sizes() == at::IntArrayRef(announced.shape));
    CHECK(train.rate_hz == announced.rate_hz);
    CHECK(train.x.scalar_type() == at::kFloat);
    CHECK(at::isfinite(train.x).all().item<bool>());
    CHECK(transform->output(spec, Mode::eval).shape == announced.shape);
  }
}

TEST_CASE("a deterministic transform never writes into the memory that it was given") {
  for (const auto& [name, transform, spec] : deterministic_transforms()) {
    INFO(name);
    const Batch batch = some_items_of(spec);
    const at::Tensor x = batch.x.clone(), y = batch.y.clone();
    const Batch out = applied(*transform, batch);
    CHECK(at::equal(batch.x, x));
    CHECK(at::equal(batch.y, y));
  }
}

TEST_CASE("an item of a batch of four gets what it gets alone from a deterministic transform") {
  for (const auto& [name, transform, spec] : deterministic_transforms()) {
    INFO(name);
    const Batch batch = some_items_of(spec), all = applied(*transform, batch);
    for (int64_t i = 0; i < 4; ++i) CHECK(at::equal(applied(*transform, testing::single(batch, i)).x[0], all.x[i]));
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
  const Batch batch = some_items_of({Domain::spectrogram, {2, 3, 50}, 10}, 8);
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

}  // namespace
}  // namespace amae
