// crop; what all random transforms keep is in random_contract_test.cpp.
#include "transforms/augment/crop.h"

#include <set>

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::refused_field;

/// x[b, c, n] = n: a crop's first value is its start.
at::Tensor ramp(int64_t items, int64_t length) {
  return at::arange(length, at::kFloat).view({1, 1, length}).repeat({items, 2, 1});
}

at::Tensor evaluated(const Crop& transform, const at::Tensor& x, int64_t view, int64_t views) {
  Batch batch = batch_of(x);
  transform.apply_eval(batch, view, views);
  return batch.x;
}

TEST_CASE("crop takes one piece of all channels, from every place alike") {
  const int64_t items = 4000;
  const at::Tensor y = applied(Crop({.frames = 7}), batch_of(ramp(items, 10))).x;
  REQUIRE(y.sizes() == at::IntArrayRef({items, 2, 7}));
  const at::Tensor starts = y.select(2, 0).select(1, 0);
  CHECK(at::equal(y, starts.view({items, 1, 1}) + ramp(1, 7)));
  for (int64_t start = 0; start < 4; ++start) {
    // 1000 expected, deviation 27: five of them.
    CHECK(std::abs((starts == start).sum().item<int64_t>() - 1000) < 137);
  }
}

TEST_CASE("crop repeats what is shorter and keeps what fits, of any values") {
  const at::Tensor x = testing::noise({2, 1, 3, 4});
  CHECK(at::equal(applied(Crop({.frames = 10}), batch_of(x)).x, at::cat({x, x, x.slice(3, 0, 2)}, 3)));
  CHECK(at::equal(applied(Crop({.frames = 4}), batch_of(x)).x, x));
}

TEST_CASE("evaluation sees the whole clip, or crops that begin with the center and spread over it") {
  const at::Tensor x = ramp(2, 10);
  CHECK(at::equal(evaluated(Crop({.frames = 4}), x, 0, 1), x));
  const Crop center({.frames = 4, .eval = "center"});
  CHECK(at::equal(evaluated(center, x, 0, 1), ramp(2, 4) + 3));  // 3 before, 3 behind
  CHECK(at::equal(evaluated(center, x, 0, 7), ramp(2, 4) + 3));
  std::set<float> starts;
  for (int64_t view = 0; view < 7; ++view) starts.insert(evaluated(center, x, view, 7).min().item<float>());
  CHECK(starts == std::set<float>{0, 1, 2, 3, 4, 5, 6});
  CHECK(evaluated(center, ramp(1, 3), 0, 1).sizes() == at::IntArrayRef({1, 2, 4}));
}

TEST_CASE("crop announces its length, and refuses clips of nothing") {
  const Spec picture{Domain::spectrogram, {1, 3, -1}, 1, Level::other}, sound{Domain::audio, {1, 90}, 1};
  CHECK(Crop({.frames = 5}).output(picture, Mode::train).shape.back() == 5);
  CHECK(Crop({.frames = 5}).output(sound, Mode::eval).shape.back() == 90);
  CHECK(Crop({.frames = 5, .eval = "center"}).output(picture, Mode::eval).shape.back() == 5);
  CHECK(Crop({}).output(picture, Mode::train).level == Level::other);
  CHECK(refused_field([] { (void)Crop({}).output({Domain::audio, {1, 0}, 1}, Mode::train); }) == "input");
  CHECK(refused_field([] { applied(Crop({}), batch_of(at::zeros({1, 1, 0}))); }) == "input");
}

}  // namespace
}  // namespace amae
