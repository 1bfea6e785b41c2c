// speed, random_filter, low_pass, polarity, clip.
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>

#include "testing.h"
#include "transforms/perturb/biquad.h"
#include "transforms/perturb/clip.h"
#include "transforms/perturb/low_pass.h"
#include "transforms/perturb/pitch_shift.h"
#include "transforms/perturb/polarity.h"
#include "transforms/perturb/random_filter.h"
#include "transforms/perturb/speed.h"
#include "transforms/perturb/time_stretch.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::impulse;
using testing::refused_field;

constexpr double kRate = 32000;

/// Gain in decibels at `hz` of the filter whose response to an impulse is h [N].
double gain_db(const at::Tensor& h, double hz, double rate_hz = kRate) {
  const at::Tensor turn = at::arange(h.numel(), at::kDouble) * (2 * std::numbers::pi * hz / rate_hz);
  const at::Tensor values = h.flatten().to(at::kDouble);
  return 20 *
         std::log10(std::hypot((values * turn.cos()).sum().item<double>(), (values * turn.sin()).sum().item<double>()) +
                    1e-12);
}

TEST_CASE("the channels of an item get the same draws") {
  const at::Tensor x = testing::noise({6, 1, 4000}).expand({6, 2, 4000}).contiguous();
  const std::vector<std::pair<const char*, std::shared_ptr<Transform>>> all = {
      {"speed", std::make_shared<Speed>(SpeedOptions{})},
      {"time_stretch", std::make_shared<TimeStretch>(TimeStretchOptions{})},
      {"pitch_shift", std::make_shared<PitchShift>(PitchShiftOptions{})},
      {"random_filter", std::make_shared<RandomFilter>(RandomFilterOptions{})},
      {"low_pass", std::make_shared<LowPass>(LowPassOptions{.mu_law = 0.5})},
      {"low_pass, resampling", std::make_shared<LowPass>(LowPassOptions{.method = "resample", .mu_law = 0.5})},
      {"polarity", std::make_shared<Polarity>(PolarityOptions{})},
      {"clip", std::make_shared<Clip>(ClipOptions{})},
  };
  for (const auto& [name, transform] : all) {
    INFO(name);
    const at::Tensor y = applied(*transform, batch_of(x, kRate)).x;
    CHECK(at::equal(y.select(1, 0), y.select(1, 1)));
    CHECK_FALSE(at::equal(y, x));
    CHECK(applied(*transform, batch_of(at::zeros({2, 1, 0}), kRate)).x.sizes() == at::IntArrayRef({2, 1, 0}));
  }
}

TEST_CASE("speed plays a tone higher or lower and fills up or cuts to the length") {
  constexpr int64_t kLength = 8000;
  const at::Tensor time = at::arange(kLength, at::kDouble) / kLength;
  const auto cycles = [&](double count) { return (time * (2 * std::numbers::pi * count)).sin().to(at::kFloat); };
  const auto played = [&](double factor, const char* pad) {
    const Speed transform({.factor = {factor, factor}, .pad = pad});
    return applied(transform, batch_of(cycles(400).view({1, 1, kLength}), 8000)).x.flatten();
  };
  const auto differs = [](const at::Tensor& y, const at::Tensor& expected, int64_t begin, int64_t end) {
    return (y - expected).slice(0, begin, end).abs().max().item<double>();
  };
  // The interior of one playing; the filter's ripple is 1e-4.
  CHECK(differs(played(0.8, "zero"), cycles(320), 200, kLength) < 1e-3);
  const at::Tensor fast = played(1.25, "tile"), once = played(1.25, "zero");
  CHECK(differs(fast, cycles(500), 200, 6200) < 1e-3);
  CHECK(at::equal(fast.slice(0, 6400), fast.slice(0, 0, 1600)));
  CHECK(at::equal(once.slice(0, 0, 6400), fast.slice(0, 0, 6400)));
  CHECK(once.slice(0, 6400).abs().max().item<float>() == 0);
  CHECK(at::equal(played(1, "zero"), cycles(400)));
  CHECK(refused_field([] { SpeedOptions{.factor = {1.1, 0.9}}.check(); }) == "factor");
}

TEST_CASE("faster playing leaves no aliases") {
  // 15 kHz at 1.25 times the speed would be 18.75 kHz, above the 16 kHz that the rate can carry.
  const at::Tensor x = (at::arange(16000, at::kDouble) * (2 * std::numbers::pi * 15000 / kRate)).sin().to(at::kFloat);
  const at::Tensor y = applied(Speed({.factor = {1.25, 1.25}}), batch_of(x.view({1, 1, -1}), kRate)).x.flatten();
  CHECK(20 * std::log10(y.slice(0, 200, 12000).abs().max().item<double>()) < -75);
}

/// |H| in decibels of the cookbook's analogue prototypes at s = j tan(w/2) / tan(w0/2), which the bilinear transform
/// maps to the digital filters exactly: an independent way to the same numbers.
double prototype_db(FilterKind kind, double frequency, double centre, double q, double peak_db) {
  const std::complex<double> s(0, std::tan(std::numbers::pi * frequency) / std::tan(std::numbers::pi * centre));
  const double a = std::pow(10.0, peak_db / 40);
  const std::complex<double> base = s * s + s / q + 1.0;
  const std::complex<double> h = kind == FilterKind::low_pass    ? 1.0 / base
                                 : kind == FilterKind::high_pass ? s * s / base
                                 : kind == FilterKind::band_pass
                                     ? s / q / base
                                     : (s * s + s * (a / q) + 1.0) / (s * s + s / (a * q) + 1.0);
  return 20 * std::log10(std::abs(h));
}

TEST_CASE("the biquads have the response of the cookbook's prototypes") {
  for (const FilterKind kind :
       {FilterKind::low_pass, FilterKind::high_pass, FilterKind::band_pass, FilterKind::peaking}) {
    for (const double centre : {0.01, 0.1, 0.3, 0.45}) {
      for (const double q : {0.5, 0.707, 4.0}) {
        const double peak_db = kind == FilterKind::peaking ? -9 : 0;
        const at::Tensor h = impulse(4096, 0).flatten();
        at::Tensor y = at::empty_like(h);
        make_biquad(kind, centre, q, peak_db).run(h.const_data_ptr<float>(), y.mutable_data_ptr<float>(), 4096);
        for (const double frequency : {0.004, 0.02, 0.11, 0.27, 0.4}) {
          const double expected = prototype_db(kind, frequency, centre, q, peak_db);
          if (expected < -60) continue;  // float32 samples hold no more
          INFO("kind " << static_cast<int>(kind) << ", centre " << centre << ", q " << q << ", at " << frequency);
          // 4096 samples of float32, each rounded to 6e-8 of the largest: 1e-3 dB at -60 dB.
          CHECK(std::abs(gain_db(y, frequency, 1) - expected) < 0.005);
        }
      }
    }
  }
}

TEST_CASE("a biquad ends its ringing after the sound instead of keeping denormal numbers") {
  at::Tensor y = at::empty({8192});
  make_biquad(FilterKind::low_pass, 0.1, 0.7)
      .run(impulse(8192, 0).const_data_ptr<float>(), y.mutable_data_ptr<float>(), 8192);
  CHECK(y.slice(0, 2048).abs().max().item<float>() == 0);
}

TEST_CASE("random_filter draws every kind within its intervals") {
  // 200 impulses, one filter each: read off where the peaking filters' largest gain lies, and how large it is.
  const at::Tensor x = impulse(8192, 0).expand({200, 1, 8192}).contiguous();
  const RandomFilter peaks({.kinds = {"peaking"}, .peaking = {500, 4000}, .q = {2, 2}, .gain_db = {3, 9}});
  const at::Tensor gain = at::fft_rfft(applied(peaks, batch_of(x, kRate)).x.squeeze(1)).abs().log10() * 20;
  const auto [height, bin] = gain.max(1);
  const at::Tensor hz = bin * (kRate / 8192);
  CHECK(hz.min().item<double>() > 500 - 4);  // bins are 3.9 Hz wide
  CHECK(hz.max().item<double>() < 4000 + 4);
  CHECK(height.min().item<double>() > 2.99);
  CHECK(height.max().item<double>() < 9.01);
  // Uniform over the logarithm: half of the centres lie below 1414 Hz, of 200 at most 5 deviations (35) more or fewer.
  const auto low = (hz < 1414).sum().item<int64_t>();
  CHECK(std::abs(low - 100) < 35);

  const at::Tensor all = applied(RandomFilter({.gain_db = {3, 9}}), batch_of(x, kRate)).x.squeeze(1);
  const at::Tensor spectrum = at::fft_rfft(all).abs();
  const at::Tensor keeps_low = spectrum.select(1, 1) > 0.9, keeps_high = spectrum.select(1, 4090) > 0.9;
  const auto count = [](const at::Tensor& which) { return which.sum().item<int64_t>(); };
  // A quarter of 200 each; 5 deviations are 31.
  CHECK(std::abs(count(keeps_low & keeps_high) - 50) < 31);    // peaking
  CHECK(std::abs(count(keeps_low & ~keeps_high) - 50) < 31);   // low-pass
  CHECK(std::abs(count(~keeps_low & keeps_high) - 50) < 31);   // high-pass
  CHECK(std::abs(count(~keeps_low & ~keeps_high) - 50) < 31);  // band-pass
}

TEST_CASE("random_filter and low_pass refuse frequencies that the rate cannot carry, and unknown rates") {
  const RandomFilter filter({.kinds = {"high_pass"}, .high_pass = {4000, 5000}});
  const Spec slow{Domain::audio, {1, 100}, 8000}, fast{Domain::audio, {1, 100}, 8002};
  CHECK(refused_field([&] { (void)filter.output(slow, Mode::train); }) == "high_pass");
  CHECK(refused_field([&] { (void)filter.output(fast, Mode::train); }).empty());
  CHECK(refused_field([&] { (void)filter.output(slow, Mode::eval); }).empty());
  CHECK(refused_field([&] { applied(filter, batch_of(at::ones({1, 1, 9}), 8000)); }) == "high_pass");
  CHECK(refused_field([&] { applied(filter, batch_of(at::ones({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([&] { (void)LowPass({.cutoff = {4000, 9000}}).output(slow, Mode::train); }) == "cutoff");
  CHECK(refused_field([&] { applied(LowPass({}), batch_of(at::ones({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([] { RandomFilterOptions{.kinds = {}}.check(); }) == "kinds");
  CHECK(refused_field([] { RandomFilterOptions{.q = {2, 1}}.check(); }) == "q");
  CHECK(refused_field([] { LowPassOptions{.cutoff = {2, 1}}.check(); }) == "cutoff");
  RandomFilterOptions{}.check();
  LowPassOptions{}.check();
}

TEST_CASE("low_pass is flat to 0.9 of the cut-off, gone above it and without delay") {
  constexpr int64_t kLength = 16001, kMiddle = 8000;
  for (const char* method : {"fir", "resample"}) {
    for (const double cutoff : {1000.0, 3400.0, 8000.0}) {
      const LowPass transform({.cutoff = {cutoff, cutoff}, .method = method});
      const at::Tensor h = applied(transform, batch_of(impulse(kLength, kMiddle), kRate)).x.flatten();
      const bool is_fir = std::string(method) == "fir";
      for (double share = 0.02; share < 1.9; share += 0.02) {
        const double gain = gain_db(h, share * cutoff);
        INFO(method << ", " << cutoff << " Hz, at " << share << " of it: " << gain << " dB");
        if (share < (is_fir ? 0.901 : 0.821)) CHECK(std::abs(gain) < 0.1);
        // Resampling to p/q of the rate moves the cut-off by up to 1/400 of the rate.
        if (share > (is_fir ? 1.0 : 1.001)) CHECK(gain < (is_fir ? -60 : -75));
      }
      if (is_fir) CHECK((h - h.flip(0)).abs().max().item<double>() < 1e-6);  // of the FFT's rounding
    }
  }
}

TEST_CASE("low_pass with a cut-off beyond the rate passes all") {
  const at::Tensor x = testing::noise({4, 1, 500});
  for (const char* method : {"fir", "resample"}) {
    const LowPass transform({.cutoff = {15999, 1e6}, .method = method});
    const at::Tensor same = (applied(transform, batch_of(x, kRate)).x == x).flatten(1).all(1);
    CHECK(same.sum().item<int64_t>() >= 3);  // a draw below 16 kHz has probability 2e-5
  }
}

TEST_CASE("mu-law rounding follows G.711's continuous curve on 255 levels and keeps 0 and the sign") {
  const at::Tensor x = at::linspace(-1, 1, 20001), y = mu_law_rounded(x);
  CHECK(std::get<0>(at::_unique(y)).numel() == 255);
  CHECK(y[10000].item<float>() == 0);
  CHECK(at::allclose(y, -y.flip(0), 0, 1e-6));
  CHECK(y[0].item<float>() == -1);
  CHECK(y[20000].item<float>() == 1);
  const auto level = [](const at::Tensor& v) { return (v.abs() * 255).log1p() / std::log(256.0) * v.sign() * 127; };
  // Each level is a whole number and at most half a step away; 1e-3 is the float32 rounding of the logarithms.
  CHECK((level(y) - level(y).round()).abs().max().item<double>() < 1e-3);
  CHECK((level(y) - level(x)).abs().max().item<double>() < 0.5 + 1e-3);
  CHECK(mu_law_rounded(at::full({1}, -7.0)).item<float>() == -1);
}

TEST_CASE("mu_law rounds its share of the examples") {
  const at::Tensor x = testing::noise({100, 1, 400}).clamp(-1, 1);
  const LowPass transform({.cutoff = {15000, 15999}, .mu_law = 0.3});
  const LowPass without({.cutoff = {15000, 15999}, .mu_law = 0});
  const at::Tensor rounded = applied(transform, batch_of(x, kRate)).x, smooth = applied(without, batch_of(x, kRate)).x;
  const at::Tensor touched = (rounded != smooth).flatten(1).any(1);
  CHECK(std::abs(touched.sum().item<int64_t>() - 30) < 23);  // five deviations of B(100, 0.3)
  for (int64_t i = 0; i < 100; ++i) {
    if (touched[i].item<bool>()) CHECK(at::equal(rounded[i], mu_law_rounded(smooth[i].contiguous())));
  }
}

TEST_CASE("polarity turns the sign of half of the examples") {
  const at::Tensor y = applied(Polarity({}), batch_of(at::ones({400, 2, 3}))).x;
  CHECK((y.abs() == 1).all().item<bool>());
  CHECK(at::equal(y, y.select(2, 0).select(1, 0).view({400, 1, 1}).expand_as(y)));
  CHECK(std::abs(y.select(2, 0).select(1, 0).sum().item<double>()) < 100);  // five deviations of 400 signs
}

TEST_CASE("clip cuts what exceeds its level, for the drawn share of the samples that are not silence") {
  at::Tensor x = testing::noise({50, 2, 1000});
  x.slice(2, 400).zero_();  // padding, which must not count
  const at::Tensor y = applied(Clip({.kinds = {"hard"}, .share = {0.1, 0.1}}), batch_of(x)).x;
  const at::Tensor level = y.abs().amax({1, 2}, true);
  CHECK(at::equal(y, x.minimum(level).maximum(-level)));
  CHECK((((x.abs() > level).sum({1, 2})) == 80).all().item<bool>());  // a tenth of 2 * 400
}

TEST_CASE("soft clipping bends towards the level and leaves small samples alone") {
  const at::Tensor x = testing::noise({20, 1, 1000});
  const at::Tensor hard = applied(Clip({.kinds = {"hard"}, .share = {0.05, 0.05}}), batch_of(x)).x;
  const at::Tensor soft = applied(Clip({.kinds = {"soft"}, .share = {0.05, 0.05}}), batch_of(x)).x;
  const at::Tensor level = hard.abs().amax({1, 2}, true);
  CHECK(at::allclose(soft, (x / level).tanh() * level, 1e-5, 1e-6));
  CHECK((soft.abs() < level).all().item<bool>());
  CHECK(((soft - x).abs() <= x.abs().pow(3) / level.square() / 3 + 1e-6).all().item<bool>());
}

TEST_CASE("clip draws both kinds and every share, and leaves silence silent") {
  const at::Tensor x = testing::noise({200, 1, 1000});
  const at::Tensor y = applied(Clip({.share = {0.01, 0.2}}), batch_of(x)).x;
  const at::Tensor is_hard = (y == x).flatten(1).sum(1) > 500;
  CHECK(std::abs(is_hard.sum().item<int64_t>() - 100) < 36);  // five deviations of B(200, 1/2)
  const at::Tensor cut = (y != x).flatten(1).sum(1).masked_select(is_hard);
  CHECK(cut.min().item<int64_t>() >= 10);
  CHECK(cut.max().item<int64_t>() < 200);
  CHECK(cut.max().item<int64_t>() - cut.min().item<int64_t>() > 100);
  CHECK(applied(Clip({}), batch_of(at::zeros({2, 1, 50}))).x.abs().max().item<float>() == 0);
  CHECK(refused_field([] { ClipOptions{.kinds = {}}.check(); }) == "kinds");
  CHECK(refused_field([] { ClipOptions{.share = {0.2, 0.1}}.check(); }) == "share");
}

TEST_CASE("low_pass by resampling acts on cut-offs far below the rate") {
  const at::Tensor x = at::sin(at::arange(96000, at::kDouble) * (2 * 3.14159265358979 * 2000 / 96000)).to(at::kFloat);
  for (const double cutoff : {100.0, 121.0, 150.0, 2300.0}) {
    const LowPass transform({.cutoff = {cutoff, cutoff}, .method = "resample"});
    const at::Tensor y = applied(transform, batch_of(x.view({1, 1, -1}), 96000)).x.flatten().slice(0, 24000, 72000);
    INFO(cutoff);
    const double left = y.abs().max().item<double>();
    CHECK((cutoff < 2000 ? left < 1e-3 : left > 0.9));  // -75 dB is 2e-4
  }
}

}  // namespace
}  // namespace amae
