#include <ATen/ATen.h>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "plugins/data/synthetic_radio/radio_options.h"
#include "plugins/data/synthetic_radio/rml2016a.h"

namespace amae {
namespace {

using Catch::Approx;

constexpr uint64_t kSeed = 3;

std::vector<const Modulation*> eleven() {
  std::vector<const Modulation*> all;
  for (const auto& name : SyntheticRadioOptions().classes) all.push_back(find_modulation(name));
  return all;
}

/// Mean powers of both parts over the frames of a cell.
std::pair<double, double> powers_of(const Rml2016a& radio, size_t modulation, size_t snr, int64_t frames) {
  double signal = 0, noise = 0;
  Iq s, w;
  for (int64_t frame = 0; frame < frames; ++frame) {
    radio.parts(modulation, snr, frame, s, w);
    signal += mean_power(s);
    noise += mean_power(w);
  }
  return {signal / static_cast<double>(frames), noise / static_cast<double>(frames)};
}

TEST_CASE("the faithful labels say twice the decibels, and constellations keep their own powers") {
  const auto classes = eleven();
  const Rml2016a radio(kSeed, classes, {-10, 0, 10}, 400);
  std::map<std::string, double> power;
  for (size_t m = 0; m < classes.size(); ++m) {
    for (size_t snr = 0; snr < 3; ++snr) {
      const double label = 10.0 * (static_cast<double>(snr) - 1);
      const auto [signal, noise] = powers_of(radio, m, snr, 400);
      INFO(classes[m]->name << " at label " << label);
      CHECK(10 * std::log10(noise) == Approx(-2 * label).margin(0.3));  // one sequence of noise, of a small pool
      if (snr == 1) power[classes[m]->name] = signal;
    }
  }
  CHECK(power["AM-SSB"] == 0);
  // Over QPSK's, as 5, 10 and 42 are over 1; frames of few symbols vary, and so does the channel over time.
  CHECK(power["PAM4"] / power["QPSK"] == Approx(5).epsilon(0.1));
  CHECK(power["QAM16"] / power["QPSK"] == Approx(10).epsilon(0.1));
  CHECK(power["QAM64"] / power["QPSK"] == Approx(42).epsilon(0.1));
  CHECK(power["CPFSK"] / power["QPSK"] == Approx(1).epsilon(0.1));
}

TEST_CASE("over channels, the power of what is received is 2.4 dB above what was sent") {
  double sum = 0;
  constexpr int kChannels = 40;
  for (uint64_t seed = 0; seed < kChannels; ++seed) {
    const Rml2016aChannel channel(seed);
    const Iq taps = channel.fading(1000);
    double i = 0, q = 0;  // at 0 Hz
    for (size_t k = 0; k < taps.size(); ++k) {
      i += static_cast<double>(taps.i[k]);
      q += static_cast<double>(taps.q[k]);
    }
    sum += i * i + q * q;
  }
  CHECK(10 * std::log10(sum / kChannels) == Approx(2.4).margin(1.5));  // 40 draws of a power that fades: 0.5 dB
}

TEST_CASE("carrier and sample rate wander slowly, and the noise comes from a pool of 8192 values") {
  const Rml2016aChannel channel(kSeed);
  const auto samples = Rml2016aChannel::kSamples;
  for (size_t n = 1; n < samples; ++n) {
    const double step = channel.time(n) - channel.time(n - 1);
    if (std::abs(step - 1) > 50 / 200e3 * 1.0001) FAIL("rate at " << n);
    const double turn = channel.carrier_phase(n) - channel.carrier_phase(n - 1);
    if (std::abs(turn) > 2 * std::numbers::pi * 500 / 200e3 * 1.0001) FAIL("carrier at " << n);
  }
  CHECK(channel.carrier_phase(samples - 1) != channel.carrier_phase(0));
  CHECK(channel.time(0) == 0);
  CHECK(channel.time(samples - 1) == Approx(static_cast<double>(samples)).margin(20));
  std::set<std::pair<float, float>> values;
  for (size_t n = 0; n < samples; ++n) values.emplace(channel.noise().i[n], channel.noise().q[n]);
  CHECK(values.size() <= 8192);
  CHECK(values.size() > 8000);
  CHECK(mean_power(channel.noise()) == Approx(1).epsilon(0.05));
}

TEST_CASE("a faithful frame is divided by the sum of its magnitudes") {
  const auto classes = eleven();
  const Rml2016a radio(kSeed, classes, {-20, 18}, 20);
  Iq x(128), s, w;
  for (size_t m = 0; m < classes.size(); ++m) {
    for (size_t snr = 0; snr < 2; ++snr) {
      for (int64_t frame = 0; frame < 20; ++frame) {
        radio.frame(m, snr, frame, x.i, x.q);
        radio.parts(m, snr, frame, s, w);
        double sum = 0, raw = 0;
        for (size_t n = 0; n < 128; ++n) {
          sum += std::hypot(static_cast<double>(x.i[n]), static_cast<double>(x.q[n]));
          raw += std::hypot(static_cast<double>(s.i[n] + w.i[n]), static_cast<double>(s.q[n] + w.q[n]));
        }
        CHECK(sum == Approx(1).epsilon(1e-5));
        CHECK(static_cast<double>(x.i[7]) == Approx(static_cast<double>(s.i[7] + w.i[7]) / raw).margin(1e-7));
      }
    }
  }
}

TEST_CASE("AM-SSB is windows of the one noise at every label") {
  const auto classes = eleven();
  const size_t ssb = 2;
  REQUIRE(classes[ssb]->name == "AM-SSB");
  const Rml2016a radio(kSeed, classes, {-20, 18}, 60);
  const Rml2016aChannel channel(kSeed);
  Iq s, w;
  for (size_t snr = 0; snr < 2; ++snr) {
    const double amplitude = std::pow(10.0, -(snr == 0 ? -20.0 : 18.0) / 10);
    for (int64_t frame = 0; frame < 60; ++frame) {
      radio.parts(ssb, snr, frame, s, w);
      CHECK(mean_power(s) == 0);
      // The window is a stretch of the one sequence.
      bool is_found = false;
      for (size_t start = 50; start + 128 <= channel.noise().size() && !is_found; ++start) {
        is_found =
            std::abs(w.i[0] - static_cast<float>(amplitude) * channel.noise().i[start]) <= 1e-5F * std::abs(w.i[0]) &&
            std::abs(w.q[5] - static_cast<float>(amplitude) * channel.noise().q[start + 5]) <= 1e-5F * std::abs(w.q[5]);
      }
      CHECK(is_found);
    }
  }
}

TEST_CASE("transmissions are as long as theirs, and windows of one do not overlap") {
  CHECK(Rml2016a::transmission_length(*find_modulation("BPSK")) == 80'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("QPSK")) == 40'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("8PSK")) == 26'664);
  CHECK(Rml2016a::transmission_length(*find_modulation("PAM4")) == 40'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("QAM16")) == 40'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("QAM64")) == 40'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("GFSK")) == 80'000);
  CHECK(Rml2016a::transmission_length(*find_modulation("AM-DSB")) == 45'351);
  CHECK(Rml2016a::transmission_length(*find_modulation("WBFM")) == 50'000);
  const Rml2016a radio(kSeed, eleven(), {0}, 500);
  for (size_t m = 0; m < 11; ++m) {
    const auto& windows = radio.windows();
    const auto length = static_cast<int32_t>(Rml2016a::transmission_length(*eleven()[m]));
    int32_t transmissions = 0;
    for (size_t k = 0; k < 500; ++k) {
      const auto& window = windows[m * 500 + k];
      CHECK(window.start >= 50);
      CHECK(window.start + 128 < length);
      transmissions = std::max(transmissions, window.transmission);
      if (k == 0 || window.transmission != windows[m * 500 + k - 1].transmission) {
        CHECK(window.start <= 500);
      } else {
        const int32_t step = window.start - windows[m * 500 + k - 1].start;
        CHECK(step >= 128);
        CHECK(step <= std::lround(0.05 * length));
      }
    }
    // Steps of (128 + 5 %) / 2 on average: 36 to 40 windows in each.
    CHECK(transmissions + 1 >= 500 / 41);
    CHECK(transmissions + 1 <= 500 / 33);
  }
}

TEST_CASE("the beginning of a linear transmission is the run-in of its filter") {
  const auto classes = eleven();
  const Rml2016a radio(kSeed, classes, {18}, 800);
  const size_t qpsk = 9;
  REQUIRE(classes[qpsk]->name == "QPSK");
  Iq s, w;
  double early = 0, later = 0;
  int count = 0;
  for (int64_t frame = 0; frame < 800; ++frame) {
    const auto& window = radio.windows()[qpsk * 800 + static_cast<size_t>(frame)];
    radio.parts(qpsk, 0, frame, s, w);
    if (window.start < 150) {
      early += mean_power(s);
      ++count;
    } else if (window.start > 400) {
      later = std::max(later, mean_power(s));
    }
  }
  CHECK(count > 0);
  CHECK(early / count < 1e-3 * later);
}

TEST_CASE("the speech-like sound pauses, then speaks below 8 kHz, as loud as a recording may be") {
  const auto sound = speech_like(Draw(kSeed, 0, 0, 0));
  REQUIRE(sound.size() == kSpeechSamples);
  const auto begin = static_cast<size_t>(kSpeechPause * static_cast<double>(kSpeechSamples));
  float quiet = 0, loud = 0;
  for (size_t n = 0; n < begin; ++n) quiet = std::max(quiet, std::abs(sound[n]));
  for (size_t n = begin; n < sound.size(); ++n) loud = std::max(loud, std::abs(sound[n]));
  CHECK(quiet < 0.0002F);
  CHECK(loud == Approx(0.3).margin(0.002));
  const at::Tensor power = at::fft_rfft(at::tensor(sound)).abs().square();
  const auto bin = static_cast<int64_t>(9000 / kSpeechRateHz * static_cast<double>(kSpeechSamples));
  CHECK(power.slice(0, bin).sum().item<double>() < 1e-3 * power.sum().item<double>());
}

TEST_CASE("all letters' common bits give the text's bits a period of 256 in parts") {
  const TextBits text(30'000, Draw(kSeed, 0, 0, 0));
  const TextBits::Pattern none = {0, 0, 0, 0}, all = {~0ULL, ~0ULL, ~0ULL, ~0ULL};
  int64_t ones = 0;
  for (size_t at = 0; at < 1000; ++at) {
    CHECK(text.ones(at, none) == ones);
    CHECK(text.ones(at, none) + text.ones(at, all) == static_cast<int64_t>(at));
    ones += text.bit(at, none) ? 1 : 0;
    if (at % 8 == 7) CHECK_FALSE(text.bit(at, none));  // ASCII: the highest bit, last of each byte
  }
}

}  // namespace
}  // namespace amae
