#include "transforms/environment/reverb.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "io/audio.h"
#include "testing.h"
#include "tests/problems.h"
#include "transforms/common/convolve.h"
#include "transforms/environment/room_response.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::impulse;
using testing::refused_field;

/// Time for 60 dB by Schroeder's backward integration: the slope of the decay between -5 and -35 dB (ISO 3382, T30).
double measured_rt60(const at::Tensor& tail, double rate_hz) {
  const at::Tensor left = tail.to(at::kDouble).square().flip(0).cumsum(0).flip(0);
  const at::Tensor level_db = (left / left[0]).log10() * 10;
  const at::Tensor used = at::logical_and(level_db<-5, level_db> - 35);
  const at::Tensor t = at::arange(tail.numel(), at::kDouble).masked_select(used) / rate_hz;
  const at::Tensor y = level_db.masked_select(used);
  const double slope = (((t - t.mean()) * y).sum() / (t - t.mean()).square().sum()).item<double>();
  return -60 / slope;
}

at::Tensor tensor_of(const std::vector<float>& values) { return at::tensor(values); }

ReverbOptions room(double rt60_s, double pre_delay_s, double wet_db) {
  return {.rt60 = {rt60_s, rt60_s},
          .pre_delay = {pre_delay_s, pre_delay_s},
          .wet_db = {wet_db, wet_db},
          .keep_level = false,
          .p = 1};
}

TEST_CASE("convolve equals the sum that defines it") {
  for (const auto& [n, taps] :
       {std::pair<int64_t, int64_t>{1, 1}, {1, 5}, {7, 3}, {100, 100}, {257, 1000}, {1000, 37}}) {
    INFO(n << " samples, " << taps << " taps");
    const at::Tensor x = testing::noise({2, n}), h = testing::noise({taps}, 5);
    at::Tensor expected = at::zeros({2, n}, at::kDouble);
    for (int64_t k = 0; k < std::min(n, taps); ++k) {
      expected.slice(1, k) += h[k].item<double>() * x.slice(1, 0, n - k).to(at::kDouble);
    }
    const float* taps_at = h.const_data_ptr<float>();
    // float32 FFTs of up to 2000 points: some 1e-7 of the largest value for each of its eleven stages.
    CHECK(testing::relative_error(convolve(x, {taps_at, taps_at + taps}).to(at::kDouble), expected) < 2e-6);
  }
}

TEST_CASE("a synthetic response has the reverberation time asked for, to 5 %") {
  for (const double rate_hz : {8000.0, 16000.0, 44100.0}) {
    for (const double rt60_s : {0.2, 0.35, 0.8, 2.0}) {
      for (uint64_t seed = 0; seed < 5; ++seed) {
        INFO(rate_hz << " Hz, " << rt60_s << " s, seed " << seed);
        Draw draw(seed, 0, 0, 0);
        const at::Tensor h = tensor_of(synthetic_response(rate_hz, rt60_s, 0.01, -3, draw));
        CHECK(std::abs(measured_rt60(h.slice(0, std::llround(0.01 * rate_hz)), rate_hz) / rt60_s - 1) < 0.05);
      }
    }
  }
}

TEST_CASE("a synthetic response is a direct path, a pause and a tail of the energy asked for") {
  for (const double wet_db : {-20.0, 0.0, 6.0}) {
    Draw draw(3, 0, 0, 0);
    const at::Tensor h = tensor_of(synthetic_response(16000, 0.3, 0.02, wet_db, draw));
    CHECK(h[0].item<float>() == 1);
    CHECK(h.slice(0, 1, 320).abs().max().item<float>() == 0);
    CHECK(h[320].item<float>() != 0);
    const double energy = h.slice(0, 320).to(at::kDouble).square().sum().item<double>();
    CHECK(std::abs(10 * std::log10(energy) - wet_db) < 1e-3);  // float32 rounding of each sample averages out
  }
}

TEST_CASE("an impulse sent through reverb decays in the drawn time") {
  for (const double rt60_s : {0.2, 0.5, 1.0}) {
    const at::Tensor y = applied(Reverb(room(rt60_s, 0.01, 0)), batch_of(impulse(32000), 16000)).x.flatten();
    CHECK(std::abs(y[0].item<double>() - 1) < 1e-5);  // rounding of the FFT
    CHECK(std::abs(measured_rt60(y.slice(0, 160), 16000) / rt60_s - 1) < 0.05);
  }
}

TEST_CASE("reverb draws times, delays and levels from all of their ranges") {
  const Reverb transform(
      {.rt60 = {0.2, 0.8}, .pre_delay = {0.01, 0.03}, .wet_db = {-10, 0}, .keep_level = false, .p = 1});
  const at::Tensor x = impulse(16000).expand({60, 1, 16000}).contiguous();
  const at::Tensor y = applied(transform, batch_of(x, 16000)).x.select(1, 0);
  double low[3] = {9, 9, 99}, high[3] = {0, 0, -99};
  for (int64_t i = 0; i < 60; ++i) {
    // Rounding of the FFT fills the pause with some 1e-8; the tail starts at 1e-3 or more.
    const int64_t start = 1 + (y[i].slice(0, 1).abs() > 1e-5).to(at::kInt).argmax().item<int64_t>();
    const at::Tensor tail = y[i].slice(0, start);
    const double values[] = {measured_rt60(tail, 16000), static_cast<double>(start) / 16000,
                             10 * std::log10(tail.square().sum().item<double>())};
    for (int k = 0; k < 3; ++k) low[k] = std::min(low[k], values[k]), high[k] = std::max(high[k], values[k]);
  }
  CHECK(low[0] > 0.2 * 0.95);  // as measured above
  CHECK(high[0] < 0.8 * 1.05);
  CHECK(low[1] > 0.0099);
  CHECK(high[1] < 0.0305);  // a first sample of the noise may be next to 0
  CHECK(low[2] > -10.1);    // the tail of a long time is cut at one second: 0.1 dB at most
  CHECK(high[2] < 0.1);
  // 60 draws leave an outer fifth of a range empty with probability 1e-6.
  CHECK(low[0] < 0.28);
  CHECK(high[0] > 0.58);
  CHECK(low[1] < 0.014);
  CHECK(high[1] > 0.026);
  CHECK(low[2] < -8);
  CHECK(high[2] > -2);
}

TEST_CASE("reverb keeps an item's mean power, or adds that of the reverberation") {
  const at::Tensor x = testing::noise({3, 2, 16000}) * 0.1;
  ReverbOptions options = room(0.2, 0.01, 0);
  const at::Tensor louder = applied(Reverb(options), batch_of(x, 16000)).x;
  options.keep_level = true;
  const at::Tensor kept = applied(Reverb(options), batch_of(x, 16000)).x;
  for (int64_t i = 0; i < 3; ++i) {
    const double before = x[i].square().mean().item<double>();
    CHECK(std::abs(kept[i].square().mean().item<double>() / before - 1) < 1e-5);  // float32 rounding
    // As much again at 0 dB: 2, less what rings on after the end (a fortieth) and the noise's own deviation.
    CHECK(std::abs(louder[i].square().mean().item<double>() / before - 2) < 0.3);
    CHECK(testing::relative_error(kept[i] / kept[i].norm(), louder[i] / louder[i].norm()) < 1e-5);
  }
}

TEST_CASE("both channels of an item stand in the same room") {
  const at::Tensor mono = testing::noise({1, 1, 4000});
  const at::Tensor y = applied(Reverb(room(0.3, 0, 0)), batch_of(mono.expand({1, 2, 4000}).contiguous(), 16000)).x;
  CHECK(testing::relative_error(y[0][0], y[0][1]) < 1e-6);  // the FFT may take rows of a pair in another order
}

TEST_CASE("a recorded response starts at its peak and gets the reverberation asked for") {
  std::vector<float> samples(4000, 0.0F);
  samples[90] = 0.1F;  // before the direct path: left out
  samples[100] = -0.5F;
  samples[110] = 0.2F;  // within 2.5 ms = 40 samples: part of the direct path
  samples[1100] = 0.05F;
  const std::vector<float> h = recorded_response(samples, 16000, -6);
  REQUIRE(h.size() == 3900);
  const float unit = 1 / std::hypot(0.5F, 0.2F);
  CHECK(std::abs(h[0] + 0.5F * unit) < 1e-6F);
  CHECK(std::abs(h[10] - 0.2F * unit) < 1e-6F);
  CHECK(std::abs(20 * std::log10(h[1000]) + 6) < 1e-4F);
  CHECK(recorded_response({0, 0, 0}, 16000, -6) == std::vector<float>{1});
  CHECK(recorded_response({0, 2}, 16000, -6) == std::vector<float>{1});  // no tail to scale
}

TEST_CASE("reverb uses the responses of a folder: first channel, at the rate that arrives, all of them in turn") {
  const TemporaryFolder folder;
  for (const int64_t echo : {1000, 2000, 3000}) {
    at::Tensor h = at::zeros({2, 4000});
    h[0][10] = 0.9;
    h[0][10 + echo] = 0.3;
    h[1][20] = 0.8;  // would be a second direct path
    write_wav(folder.path() / (std::to_string(echo) + ".wav"), h, 32000);
  }
  const Reverb transform({.folder = folder.path().string(), .wet_db = {-6, -6}, .keep_level = false, .p = 1});
  const at::Tensor x = impulse(3000, 500).expand({30, 1, 3000}).contiguous();
  const at::Tensor y = applied(transform, batch_of(x, 16000)).x.select(1, 0).abs();
  int64_t seen[3] = {};
  for (int64_t i = 0; i < 30; ++i) {
    CHECK(y[i].argmax().item<int64_t>() == 500);  // the direct path is not delayed
    const int64_t echo = y[i].slice(0, 600).argmax().item<int64_t>() + 100;
    REQUIRE(echo % 500 == 0);  // half as many samples at 16 kHz
    REQUIRE(echo <= 1500);
    ++seen[echo / 500 - 1];
  }
  for (const int64_t count : seen) CHECK(count > 0);  // each is missed with probability 5e-6
}

TEST_CASE("reverb leaves silence silent, and a silent response leaves the sound") {
  const TemporaryFolder folder;
  write_wav(folder.path() / "silent.wav", at::zeros({1, 100}), 16000);
  const at::Tensor x = testing::noise({1, 1, 1000}), nothing = at::zeros({2, 1, 100});
  const Reverb recorded({.folder = folder.path().string(), .p = 1});
  CHECK(testing::relative_error(applied(recorded, batch_of(x, 16000)).x, x) < 2e-6);  // there and back by FFT
  CHECK(at::equal(applied(Reverb({.p = 1}), batch_of(nothing, 16000)).x, nothing));
}

TEST_CASE("reverb refuses unknown rates, other domains, bad folders and reversed ranges") {
  CHECK(refused_field([] { applied(Reverb({.p = 1}), batch_of(testing::noise({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([] { (void)Reverb({}).output({Domain::iq, {2, 9}, 16000}, Mode::train); }) == "input");
  const Reverb missing({.folder = "/nonexistent/responses"});
  CHECK(refused_field([&] { (void)missing.output({Domain::audio, {1, 9}, 16000}, Mode::train); }) == "folder");
  CHECK(refused_field([&] { (void)missing.output({Domain::audio, {1, 9}, 16000}, Mode::eval); }).empty());
  CHECK(refused_field([] { ReverbOptions{.rt60 = {1, 0.5}}.check(); }) == "rt60");
  CHECK(refused_field([] { ReverbOptions{.pre_delay = {0.1}}.check(); }) == "pre_delay");
  CHECK(refused_field([] { ReverbOptions{.wet_db = {3, 0}}.check(); }) == "wet_db");
  ReverbOptions{}.check();
}

TEST_CASE("reverb of real clips is finite, keeps their level and is heard") {
  const char* root = std::getenv("AMAE_ESC10");
  if (root == nullptr) SKIP("AMAE_ESC10 is not set");
  const SoundFolder clips(root, Downmix::mean, int64_t{1} << 30);
  for (int64_t i = 0; i < 10; ++i) {
    const at::Tensor x = at::tensor(*clips.recording(i * (clips.size() / 10), 16000)).view({1, 1, -1});
    const at::Tensor y = applied(Reverb({.wet_db = {-3, 0}, .p = 1}), batch_of(x, 16000)).x;
    REQUIRE(at::isfinite(y).all().item<bool>());
    CHECK(std::abs((y.norm() / x.norm()).item<double>() - 1) < 1e-4);  // float32 rounding
    CHECK((y - x).norm().item<double>() > 0.1 * x.norm().item<double>());
  }
}

}  // namespace
}  // namespace amae
