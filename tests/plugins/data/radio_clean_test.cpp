#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <complex>
#include <numbers>

#include "plugins/data/synthetic_radio/clean_radio.h"
#include "plugins/data/synthetic_radio/receiver.h"

namespace amae {
namespace {

using Catch::Approx;

double in_decibels(double ratio) { return 10 * std::log10(ratio); }

FrameParts parts_of(const CleanRadio& radio, const Modulation& modulation, double snr_db, uint64_t row) {
  Draw signal(5, 0, row, 0), noise(5, 0, row, 1);
  return radio.parts(modulation, snr_db, signal, noise);
}

/// Long frames without fading: what a receiver could undo.
SyntheticRadioOptions plain(int64_t length = 2048) {
  SyntheticRadioOptions options;
  options.fading = "none";
  options.length = length;
  return options;
}

/// Power in the bins of a plain DFT of size x.size() whose frequency is within low..high cycles per sample, over all.
double share_between(const Iq& x, double low, double high) {
  const auto count = static_cast<double>(x.size());
  double inside = 0, all = 0;
  for (size_t bin = 0; bin < x.size(); ++bin) {
    const double frequency = static_cast<double>(bin) / count - (2 * bin >= x.size() ? 1 : 0);
    double re = 0, im = 0;
    for (size_t n = 0; n < x.size(); ++n) {
      const double angle = -2 * std::numbers::pi * frequency * static_cast<double>(n);
      const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(n) + 0.5) / count);
      const double c = window * std::cos(angle), s = window * std::sin(angle);
      re += static_cast<double>(x.i[n]) * c - static_cast<double>(x.q[n]) * s;
      im += static_cast<double>(x.i[n]) * s + static_cast<double>(x.q[n]) * c;
    }
    all += re * re + im * im;
    if (frequency >= low && frequency <= high) inside += re * re + im * im;
  }
  return inside / all;
}

TEST_CASE("the measured SNR of every modulation is its label within 0.2 dB, under every kind of fading") {
  for (const char* fading : {"none", "rician", "rayleigh"}) {
    SyntheticRadioOptions options;
    options.fading = fading;
    const CleanRadio radio(options);
    for (const Modulation& modulation : modulations()) {
      for (const double snr_db : {-20.0, 0.0, 18.0}) {
        double signal = 0, noise = 0;
        for (uint64_t row = 0; row < 200; ++row) {
          const FrameParts parts = parts_of(radio, modulation, snr_db, row);
          signal += mean_power(parts.signal);
          noise += mean_power(parts.noise);
          CHECK(mean_power(parts.signal) == Approx(1).epsilon(1e-4));
        }
        INFO(modulation.name << " at " << snr_db << " dB, fading " << fading);
        // 25,600 samples of noise: their power is known to 0.6 %, 0.03 dB.
        CHECK(in_decibels(signal / noise) == Approx(snr_db).margin(0.2));
      }
    }
  }
}

TEST_CASE("a frame is the sum of its parts at mean power 1") {
  const SyntheticRadioOptions options;
  const CleanRadio radio(options);
  for (const Modulation& modulation : modulations()) {
    for (uint64_t row = 0; row < 20; ++row) {
      INFO(modulation.name << ", row " << row);
      const FrameParts parts = parts_of(radio, modulation, 3, row);
      Iq frame(128), sum(128);
      Draw signal(5, 0, row, 0), noise(5, 0, row, 1);
      radio.frame(modulation, 3, signal, noise, frame.i, frame.q);
      for (size_t n = 0; n < 128; ++n) {
        sum.i[n] = parts.signal.i[n] + parts.noise.i[n];
        sum.q[n] = parts.signal.q[n] + parts.noise.q[n];
      }
      const double factor = 1 / std::sqrt(mean_power(sum));
      CHECK(mean_power(frame) == Approx(1).epsilon(1e-4));
      for (size_t n = 0; n < 128; ++n) {
        CHECK(static_cast<double>(frame.i[n]) == Approx(factor * static_cast<double>(sum.i[n])).margin(1e-5));
        CHECK(static_cast<double>(frame.q[n]) == Approx(factor * static_cast<double>(sum.q[n])).margin(1e-5));
      }
    }
  }
}

TEST_CASE("after the matched filter the symbols are the points that were sent, for every linear modulation") {
  const auto options = plain();
  const CleanRadio radio(options);
  for (const Modulation& modulation : modulations()) {
    if (modulation.points.empty()) continue;
    INFO(modulation.name);
    const double late = modulation.family == Family::offset ? 0.5 : 0;
    for (uint64_t row = 0; row < 3; ++row) {
      const FrameParts parts = parts_of(radio, modulation, 100, row);
      for (size_t k = 0; k < parts.truth.symbols.size(); ++k) {
        const std::complex<double> symbol(static_cast<double>(parts.truth.symbols.i[k]),
                                          static_cast<double>(parts.truth.symbols.q[k]));
        const bool is_point = std::any_of(modulation.points.begin(), modulation.points.end(),
                                          [&](const auto& point) { return std::abs(point - symbol) < 1e-6; });
        if (!is_point) FAIL("symbol " << k << " is no point");
      }
      // Both pulses are cut at eight symbols, which leaves an error 48 to 54 dB down; rate offset is undone exactly.
      const Received received = matched_filter(parts.signal, parts.truth, options.roll_off, 8, late);
      CHECK(received.symbols.size() > 200);
      CHECK(20 * std::log10(error_vector(received, parts.truth.symbols)) < -45);
    }
  }
}

TEST_CASE("all points of a constellation are sent, about equally often") {
  const CleanRadio radio(plain());
  for (const char* name : {"OOK", "QPSK", "QAM16", "32QAM", "128APSK"}) {
    const Modulation& modulation = *find_modulation(name);
    std::vector<double> counts(modulation.points.size());
    double all = 0;
    for (uint64_t row = 0; row < 40; ++row) {
      const Iq symbols = parts_of(radio, modulation, 100, row).truth.symbols;
      for (size_t k = 0; k < symbols.size(); ++k, ++all) {
        size_t nearest = 0;
        double least = 1e9;
        for (size_t p = 0; p < counts.size(); ++p) {
          const double distance =
              std::abs(modulation.points[p] -
                       std::complex<double>(static_cast<double>(symbols.i[k]), static_cast<double>(symbols.q[k])));
          if (distance < least) least = distance, nearest = p;
        }
        ++counts[nearest];
      }
    }
    const double expected = all / static_cast<double>(counts.size());
    INFO(name << ", expected " << expected);
    for (const double count : counts) CHECK(std::abs(count - expected) < 5 * std::sqrt(expected));
  }
}

TEST_CASE("Es/N0 after the matched filter is the SNR plus 10 log10 of the samples per symbol") {
  for (const int64_t samples_per_symbol : {4, 8}) {
    auto options = plain();
    options.samples_per_symbol = samples_per_symbol;
    const CleanRadio radio(options);
    const Modulation& modulation = *find_modulation("8PSK");
    double signal = 0, noise = 0;
    for (uint64_t row = 0; row < 30; ++row) {
      const FrameParts parts = parts_of(radio, modulation, 4, row);
      signal += mean_power(matched_filter(parts.signal, parts.truth, options.roll_off, 8).symbols);
      noise += mean_power(matched_filter(parts.noise, parts.truth, options.roll_off, 8).symbols);
    }
    INFO(samples_per_symbol);
    // 7,000 symbols and more: noise power to 1.2 %, 0.05 dB.
    CHECK(in_decibels(signal / noise) == Approx(4 + in_decibels(static_cast<double>(samples_per_symbol))).margin(0.2));
  }
}

TEST_CASE("frequency and continuous-phase modulations have a constant envelope, the others have not") {
  const CleanRadio radio(plain(512));
  for (const Modulation& modulation : modulations()) {
    const Iq x = parts_of(radio, modulation, 100, 1).signal;
    double lowest = 1e9, highest = 0;
    for (size_t n = 0; n < x.size(); ++n) {
      const double radius = std::hypot(static_cast<double>(x.i[n]), static_cast<double>(x.q[n]));
      lowest = std::min(lowest, radius);
      highest = std::max(highest, radius);
    }
    const bool is_constant = modulation.family == Family::wbfm || modulation.family == Family::cpfsk ||
                             modulation.family == Family::gfsk || modulation.family == Family::gmsk;
    INFO(modulation.name << " " << lowest << " .. " << highest);
    if (is_constant) {
      CHECK(lowest > 0.9999);
      CHECK(highest < 1.0001);
    } else {
      CHECK(highest / lowest > 1.5);
    }
  }
}

TEST_CASE("CPFSK turns by a quarter of a turn with every symbol, GFSK by 0.8 radians at most") {
  auto options = plain();
  options.carrier_offset = 0;
  options.sample_rate_offset = 0;
  const CleanRadio radio(options);
  for (const auto& [name, turn] : std::vector<std::pair<std::string, double>>{
           {"CPFSK", std::numbers::pi / 2}, {"GMSK", std::numbers::pi / 2}, {"GFSK", 0.8}}) {
    const Iq x = parts_of(radio, *find_modulation(name), 100, 2).signal;
    double largest = 0;
    for (size_t n = 8; n < x.size(); ++n) {
      const auto re = static_cast<double>(x.i[n] * x.i[n - 8] + x.q[n] * x.q[n - 8]);
      const auto im = static_cast<double>(x.q[n] * x.i[n - 8] - x.i[n] * x.q[n - 8]);
      largest = std::max(largest, std::abs(std::atan2(im, re)));
    }
    INFO(name);
    CHECK(largest == Approx(turn).epsilon(0.01));
  }
}

TEST_CASE("spectra lie where the modulation puts them") {
  auto options = plain(1024);
  options.carrier_offset = 0;
  const CleanRadio radio(options);
  const auto signal_of = [&](const char* name) { return parts_of(radio, *find_modulation(name), 100, 3).signal; };
  // Root raised cosine: nothing beyond (1 + roll-off) / 2 of the symbol rate, half of the power within 1/4 of it.
  const double edge = 1.35 / 2 / 8;
  for (const char* name : {"BPSK", "8PSK", "QAM64", "OQPSK"}) {
    INFO(name);
    CHECK(share_between(signal_of(name), -edge - 0.01, edge + 0.01) > 0.9999);
    CHECK(share_between(signal_of(name), -0.25 / 8, 0.25 / 8) == Approx(0.5).margin(0.1));
  }
  // One sideband: all power on one side of the carrier, but for what the window smears around it.
  for (uint64_t row = 0; row < 6; ++row) {
    const Iq x = parts_of(radio, *find_modulation("AM-SSB"), 100, row).signal;
    const double lower = share_between(x, -0.5, -0.003), upper = share_between(x, 0.003, 0.5);
    CHECK(std::min(lower, upper) < 1e-4);
    CHECK(std::max(lower, upper) > 0.05);  // the rest lies below 600 Hz
  }
  // Sound ends at 15 kHz of 200: AM keeps within, WBFM goes far beyond.
  CHECK(share_between(signal_of("AM-DSB-SC"), -0.08, 0.08) > 0.999);
  CHECK(share_between(signal_of("AM-DSB"), -0.002, 0.002) > 0.5);
  CHECK(share_between(signal_of("AM-DSB-SC"), -0.0005, 0.0005) < 0.2);
  CHECK(share_between(signal_of("WBFM"), -0.08, 0.08) < 0.8);
}

TEST_CASE("noise is white, Gaussian, and of equal power in both parts") {
  Draw draw(1, 0, 0, 0);
  Iq noise(200'000);
  fill_gaussian(draw, 2, noise);
  double i = 0, q = 0, cross = 0, fourth = 0, next = 0, mean = 0;
  for (size_t n = 0; n < noise.size(); ++n) {
    const auto x = static_cast<double>(noise.i[n]), y = static_cast<double>(noise.q[n]);
    mean += x + y;
    i += x * x;
    q += y * y;
    cross += x * y;
    fourth += x * x * x * x;
    if (n > 0) next += x * static_cast<double>(noise.i[n - 1]);
  }
  const auto count = static_cast<double>(noise.size());
  CHECK(i / count == Approx(1).margin(0.02));  // six standard deviations of each
  CHECK(q / count == Approx(1).margin(0.02));
  CHECK(cross / count == Approx(0).margin(0.014));
  CHECK(next / count == Approx(0).margin(0.014));
  CHECK(mean / count == Approx(0).margin(0.02));
  CHECK(fourth / count == Approx(3).margin(0.14));
}

TEST_CASE("the SNR changes the noise's level and nothing else") {
  const CleanRadio radio(SyntheticRadioOptions{});
  const Modulation& modulation = *find_modulation("QPSK");
  const FrameParts low = parts_of(radio, modulation, -10, 4), high = parts_of(radio, modulation, 10, 4);
  CHECK(low.signal.i == high.signal.i);
  CHECK(low.signal.q == high.signal.q);
  for (size_t n = 0; n < 128; ++n)
    CHECK(static_cast<double>(low.noise.i[n]) == Approx(10 * static_cast<double>(high.noise.i[n])).epsilon(1e-5));
}

TEST_CASE("carrier and rate offsets fill their ranges") {
  const CleanRadio radio(SyntheticRadioOptions{});
  double carrier = 0, rate = 0;
  for (uint64_t row = 0; row < 500; ++row) {
    const FrameTruth truth = parts_of(radio, *find_modulation("QPSK"), 10, row).truth;
    carrier = std::max(carrier, std::abs(truth.carrier));
    rate = std::max(rate, std::abs(truth.step * 8 - 1));
  }
  const double widest = 2 * std::numbers::pi * 0.01 / 8;  // radians a sample: 0.01 cycles a symbol of 8 samples
  CHECK(carrier <= widest);
  CHECK(carrier > 0.95 * widest);
  CHECK(rate <= 50.01e-6);
  CHECK(rate > 45e-6);
}

TEST_CASE("paths have the power of their gains, the first of it K / (K + 1) steady") {
  SyntheticRadioOptions options;
  for (const char* fading : {"rician", "rayleigh"}) {
    options.fading = fading;
    const CleanRadio radio(options);
    std::vector<double> power(3);
    std::vector<std::complex<double>> mean(3);
    constexpr int kFrames = 20'000;
    for (int row = 0; row < kFrames; ++row) {
      Draw draw(9, 0, static_cast<uint64_t>(row), 0);
      const auto paths = radio.draw_paths(draw);
      REQUIRE(paths.size() == 3);
      for (size_t k = 0; k < 3; ++k) power[k] += std::norm(paths[k]) / kFrames, mean[k] += paths[k] / double{kFrames};
    }
    INFO(fading);
    CHECK(power[0] == Approx(1).epsilon(0.04));  // a power that fades: 0.7 % at 20,000 draws
    CHECK(power[1] == Approx(0.09).epsilon(0.04));
    CHECK(power[2] == Approx(0.01).epsilon(0.04));
    CHECK(std::norm(mean[0]) == Approx(options.fading == "rician" ? 0.8 : 0).margin(0.03));
    CHECK(std::norm(mean[1]) < 0.0005);
  }
}

TEST_CASE("a path's filter is as good for the largest delay as for the smallest") {
  SyntheticRadioOptions options = plain(64);
  options.fading = "rayleigh";
  options.carrier_offset = 0;
  options.sample_rate_offset = 0;
  options.path_gains = {1};
  const auto signal_at = [&](double delay) {
    options.path_delays = {delay};
    const Iq x = parts_of(CleanRadio(options), *find_modulation("QPSK"), 100, 3).signal;
    std::vector<std::complex<double>> samples;
    for (size_t n = 0; n < x.size(); ++n)
      samples.emplace_back(static_cast<double>(x.i[n]), static_cast<double>(x.q[n]));
    return samples;
  };
  for (const double part : {0.0, 0.3, 0.5, 0.9}) {
    const auto prompt = signal_at(part);
    for (const size_t whole : {1, 3}) {
      const auto late = signal_at(part + static_cast<double>(whole));
      std::complex<double> product = 0;
      double power_late = 0, power_prompt = 0;
      for (size_t n = whole; n < late.size(); ++n) {
        product += late[n] * std::conj(prompt[n - whole]);
        power_late += std::norm(late[n]);
        power_prompt += std::norm(prompt[n - whole]);
      }
      INFO("delay " << part << " + " << whole);
      CHECK(1 - std::norm(product) / (power_late * power_prompt) < 1e-9);
    }
  }
}

TEST_CASE("OOK frames of any length have power") {
  auto options = plain(16);  // two symbols: every fourth frame would be off throughout
  const CleanRadio radio(options);
  for (uint64_t row = 0; row < 200; ++row) {
    const Iq x = parts_of(radio, *find_modulation("OOK"), 10, row).signal;
    CHECK(mean_power(x) == Approx(1).epsilon(1e-3));
    CHECK(std::isfinite(x.i[3]));
  }
}

}  // namespace
}  // namespace amae
