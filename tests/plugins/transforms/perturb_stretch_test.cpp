// time_stretch, pitch_shift and the phase vocoder under them.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numbers>

#include "io/audio.h"
#include "testing.h"
#include "transforms/common/sinc_resampler.h"
#include "transforms/perturb/pitch_shift.h"
#include "transforms/perturb/time_stretch.h"
#include "transforms/perturb/vocoder.h"

namespace amae {
namespace {

namespace fs = std::filesystem;
using testing::applied;
using testing::batch_of;
using testing::refused_field;

constexpr double kToneRate = 32000;

at::Tensor tone(double hz, int64_t n, double rate_hz = kToneRate) {
  return (at::arange(n, at::kDouble) * (2 * std::numbers::pi * hz / rate_hz)).sin().to(at::kFloat).view({1, n});
}

/// Frequency of the strongest tone of y [N]: the peak of its Hann spectrum, by a parabola through three logarithms.
/// Wrong by less than 0.02 bins of rate / N.
double strongest_hz(const at::Tensor& y, double rate_hz = kToneRate) {
  const int64_t n = y.numel();
  const at::Tensor window = at::hann_window(n, at::TensorOptions().dtype(at::kDouble));
  const at::Tensor level = at::fft_rfft(y.flatten().to(at::kDouble) * window).abs().log();
  const auto at_bin = [&](int64_t b) { return level[b].item<double>(); };
  const int64_t bin = level.slice(0, 1, -1).argmax().item<int64_t>() + 1;
  const double left = at_bin(bin - 1), middle = at_bin(bin), right = at_bin(bin + 1);
  const double offset = (left - right) / (2 * (left - 2 * middle + right));
  return (static_cast<double>(bin) + offset) * rate_hz / static_cast<double>(n);
}

double cents(double hz, double expected_hz) { return 1200 * std::log2(hz / expected_hz); }

/// What is left of y [N] without its best-fitting sine of `hz`, in decibels of that sine's power.
double rest_db(const at::Tensor& y, double hz, double rate_hz = kToneRate) {
  const at::Tensor values = y.flatten().to(at::kDouble);
  const at::Tensor turn = at::arange(values.numel(), at::kDouble) * (2 * std::numbers::pi * hz / rate_hz);
  // Over hundreds of periods sine and cosine are orthogonal to 1e-3.
  const at::Tensor fit =
      turn.sin() * (2 * (values * turn.sin()).mean()) + turn.cos() * (2 * (values * turn.cos()).mean());
  return 10 * std::log10(((values - fit).square().mean() / fit.square().mean()).item<double>());
}

double level_db(const at::Tensor& x) { return 10 * std::log10(x.square().mean().item<double>() + 1e-20); }

at::Tensor inner(const at::Tensor& y, int64_t margin = 4096) { return y.slice(1, margin, y.size(1) - margin); }

TEST_CASE("stretch gives exactly round(N / factor) samples") {
  for (const int64_t n : {0, 1, 7, 2048, 10001}) {
    for (const double factor : {0.5, 0.8, 0.97, 1.0, 1.25, 3.7}) {
      INFO(n << " samples, factor " << factor);
      const at::Tensor y = stretch(testing::noise({2, n}), factor);
      CHECK(y.sizes() == at::IntArrayRef({2, std::llround(static_cast<double>(n) / factor)}));
      CHECK(at::isfinite(y).all().item<bool>());
    }
  }
}

TEST_CASE("stretch by 0.8 and 1.25 keeps a 440 Hz tone within 3 cents and the length exact") {
  for (const double rate_hz : {16000.0, 32000.0, 44100.0}) {
    const auto n = static_cast<int64_t>(2.5 * rate_hz) + 1;
    for (const double factor : {0.8, 1.25}) {
      INFO(rate_hz << " Hz, factor " << factor);
      const at::Tensor y = stretch(tone(440, n, rate_hz), factor, vocoder_size(0.064, rate_hz));
      CHECK(y.size(1) == std::llround(static_cast<double>(n) / factor));
      const double off = cents(strongest_hz(inner(y), rate_hz), 440);
      INFO("off by " << off << " cents");
      CHECK(std::abs(off) < 3);
      CHECK(std::abs(off) < 0.1);  // what it does: the phase of each hop is measured, not estimated
    }
  }
}

TEST_CASE("stretched tones stay clean and as loud as they were") {
  for (const double hz : {110.0, 440.0, 3000.0, 9000.0}) {
    for (const double factor : {0.6, 0.8, 1.25, 1.7}) {
      INFO(hz << " Hz, factor " << factor);
      const at::Tensor y = inner(stretch(tone(hz, 80000), factor));
      const double rest = rest_db(y, hz), level = level_db(y) - level_db(tone(hz, 80000));
      INFO("rest " << rest << " dB, level " << level << " dB");
      CHECK(rest < -50);
      CHECK(std::abs(level) < 0.05);
    }
  }
}

TEST_CASE("factor 1 gives the sound back") {
  const at::Tensor x = testing::noise({2, 20000});
  // Two FFTs and a division by the windows' sum in float32.
  CHECK(testing::relative_error(stretch(x, 1), x) < 1e-5);
}

TEST_CASE("an impulse stays together and comes out where the tempo puts it") {
  constexpr int64_t kLength = 64000, kFft = 2048;
  for (const double factor : {0.8, 1.25}) {
    for (const int64_t at : {20000, 20100, 20333, 32000}) {
      at::Tensor x = at::zeros({1, kLength});
      x[0][at] = 1;
      const at::Tensor energy = stretch(x, factor, kFft)[0].square();
      const auto place = static_cast<int64_t>(std::llround(static_cast<double>(at) / factor));
      const auto within = [&](int64_t reach) {
        return (energy.slice(0, place - reach, place + reach + 1).sum() / energy.sum()).item<double>();
      };
      INFO("factor " << factor << ", impulse at " << at << ": " << within(kFft / 16) << " in 1/16 window, "
                     << within(kFft / 8) << " in 1/8, " << within(kFft / 4) << " in 1/4, " << within(kFft / 2)
                     << " in 1/2, total " << energy.sum().item<double>());
      CHECK(within(kFft / 8) > 0.9);
      // The rule for attacks: without it 0.28 to 0.51.
      if (factor < 1) CHECK(within(kFft / 16) > 0.75);
      CHECK(within(kFft) > 0.9999);
    }
  }
}

TEST_CASE("steady noise loses less than 2 dB") {
  // Windows of noise that overlap at other distances than they were cut at do not add up in phase.
  for (const double factor : {0.8, 1.25}) {
    const at::Tensor x = testing::noise({1, 160000});
    const double change = level_db(stretch(x, factor)) - level_db(x);
    INFO("factor " << factor << ": " << change << " dB");
    CHECK(change < 0.2);
    CHECK(change > -2);
  }
}

TEST_CASE("pitch_shift by 3 semitones up and down lands within 5 cents, with the length exact") {
  for (const double rate_hz : {16000.0, 32000.0, 44100.0}) {
    for (const double semitones : {-3.0, 3.0, 0.1, -7.3, 12.0, -12.0}) {
      INFO(rate_hz << " Hz, " << semitones << " semitones");
      const auto n = static_cast<int64_t>(2.5 * rate_hz) + 1;
      const at::Tensor y = shift_pitch(tone(440, n, rate_hz), semitones, vocoder_size(0.064, rate_hz));
      CHECK(y.sizes() == at::IntArrayRef({1, n}));
      const double target_hz = 440 * std::exp2(semitones / 12), off = cents(strongest_hz(inner(y), rate_hz), target_hz);
      INFO("off by " << off << " cents");
      CHECK(std::abs(off) < 5);
      CHECK(std::abs(off) < 2.1);  // of the fraction that stands for 2^(s/12)
      const auto [p, q] = nearest_fraction(std::exp2(semitones / 12), 500);
      CHECK(rest_db(inner(y), 440.0 * static_cast<double>(p) / static_cast<double>(q), rate_hz) < -40);
    }
  }
  for (const int64_t n : {1, 2, 3, 997, 5000}) {
    for (double semitones = -12; semitones <= 12; semitones += 0.7) {
      CHECK(shift_pitch(testing::noise({1, n}), semitones).size(1) == n);
    }
  }
}

TEST_CASE("time_stretch keeps the head of a longer sound and fills up a shorter one") {
  const at::Tensor x = testing::noise({1, 2, 16000});
  const auto stretched = [&](double factor, const char* pad) {
    return applied(TimeStretch({.factor = {factor, factor}, .pad = pad}), batch_of(x, kToneRate)).x;
  };
  // Only the last windows may differ: the transform does not compute what it cuts off.
  const at::Tensor longer = stretch(x[0], 0.8);
  CHECK(at::allclose(stretched(0.8, "zero")[0].slice(1, 0, 13000), longer.slice(1, 0, 13000), 0, 1e-5));
  const at::Tensor shorter = stretch(x[0], 1.25), zero = stretched(1.25, "zero")[0], tile = stretched(1.25, "tile")[0];
  REQUIRE(shorter.size(1) == 12800);
  CHECK(at::equal(zero, at::cat({shorter, at::zeros({2, 3200})}, 1)));
  CHECK(at::equal(tile, at::cat({shorter, shorter.slice(1, 0, 3200)}, 1)));
}

TEST_CASE("time_stretch and pitch_shift need a rate and intervals in order") {
  const at::Tensor x = testing::noise({1, 1, 3000});
  CHECK(refused_field([&] { applied(TimeStretch({}), batch_of(x, 0)); }) == "input");
  CHECK(refused_field([&] { applied(PitchShift({}), batch_of(x, 0)); }) == "input");
  CHECK(refused_field([] { TimeStretchOptions{.factor = {1.2, 0.8}}.check(); }) == "factor");
  CHECK(refused_field([] { PitchShiftOptions{.semitones = {1}}.check(); }) == "semitones");
  CHECK(refused_field([] { (void)TimeStretch({}).output({Domain::iq, {2, 9}, 1}, Mode::train); }) == "input");
  TimeStretchOptions{}.check();
  PitchShiftOptions{}.check();
}

TEST_CASE("the vocoder's window is the nearest power of two") {
  CHECK(vocoder_size(0.064, 16000) == 1024);
  CHECK(vocoder_size(0.064, 32000) == 2048);
  CHECK(vocoder_size(0.064, 44100) == 2048);
  CHECK(vocoder_size(0.064, 48000) == 4096);
  CHECK(vocoder_size(0.002, 1000) == 16);
}

TEST_CASE("real sounds come out finite and about as loud") {
  const char* folder = std::getenv("AMAE_ESC10");
  if (folder == nullptr) SKIP("no ESC-10 on this machine; set AMAE_ESC10 to its folder");
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string kind = entry.path().extension();
    if ((kind != ".ogg" && kind != ".wav") || seen == 20) continue;
    ++seen;
    const Signal sound = read_audio(entry.path());
    const int64_t n_fft = vocoder_size(0.064, sound.rate_hz);
    const auto check = [&](const char* what, const at::Tensor& y, double shown) {
      const double before = 10 * std::log10(sound.samples.square().sum().item<double>());
      const double change = 10 * std::log10(y.square().sum().item<double>() * shown) - before;
      INFO(entry.path().filename() << ", " << what << ": " << change << " dB");
      CHECK(at::isfinite(y).all().item<bool>());
      CHECK(change < 1);
      CHECK(change > -2);
    };
    for (const double factor : {0.8, 1.25}) check("stretch", stretch(sound.samples, factor, n_fft), factor);
    for (const double semitones : {-3.0, 3.0}) check("pitch", shift_pitch(sound.samples, semitones, n_fft), 1);
  }
  CHECK(seen > 0);
}

}  // namespace
}  // namespace amae
