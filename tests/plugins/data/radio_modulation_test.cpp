#include <algorithm>
#include <bit>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "plugins/data/synthetic_radio/modulation.h"
#include "plugins/data/synthetic_radio/pulse.h"

namespace amae {
namespace {

using Catch::Approx;
using Points = std::vector<std::complex<double>>;

const Points& points_of(const std::string& name) { return find_modulation(name)->points; }

double closest_pair(const Points& points) {
  double closest = 1e9;
  for (size_t a = 0; a < points.size(); ++a) {
    for (size_t b = 0; b < a; ++b) closest = std::min(closest, std::abs(points[a] - points[b]));
  }
  return closest;
}

/// Points by radius over the smallest one, in thousandths.
std::map<long, int> radii_of(const Points& points) {
  double smallest = 1e9;
  for (const auto& point : points) smallest = std::min(smallest, std::abs(point));
  std::map<long, int> count;
  for (const auto& point : points) ++count[std::lround(1000 * std::abs(point) / smallest)];
  return count;
}

TEST_CASE("every name of RML2016.10a and RML2018.01A names a modulation, and none of them two") {
  for (const char* name : {"8PSK",   "AM-DSB",    "AM-SSB",    "BPSK",      "CPFSK",     "GFSK",  "PAM4",  "QAM16",
                           "QAM64",  "QPSK",      "WBFM",      "OOK",       "4ASK",      "8ASK",  "16PSK", "32PSK",
                           "16APSK", "32APSK",    "64APSK",    "128APSK",   "16QAM",     "32QAM", "64QAM", "128QAM",
                           "256QAM", "AM-SSB-WC", "AM-SSB-SC", "AM-DSB-WC", "AM-DSB-SC", "FM",    "GMSK",  "OQPSK"}) {
    INFO(name);
    CHECK(find_modulation(name) != nullptr);
  }
  std::set<std::string> names;
  size_t count = 0;
  for (const Modulation& m : modulations()) {
    for (const auto& name : {m.name, m.other_name}) {
      if (name.empty()) continue;
      names.insert(name);
      ++count;
    }
  }
  CHECK(names.size() == count);
  CHECK(find_modulation("") == nullptr);
  CHECK(find_modulation("qpsk") == nullptr);
}

TEST_CASE("constellations have a power of two of different points, mean power 1, and their mean where it belongs") {
  for (const Modulation& m : modulations()) {
    INFO(m.name);
    if (m.family != Family::linear && m.family != Family::offset) {
      CHECK(m.points.empty());
      continue;
    }
    double power = 0;
    std::complex<double> mean = 0;
    for (const auto& point : m.points) {
      power += std::norm(point);
      mean += point;
    }
    const auto count = static_cast<double>(m.points.size());
    CHECK(std::has_single_bit(m.points.size()));
    CHECK(m.bits() == std::countr_zero(m.points.size()));
    CHECK(power / count == Approx(1));
    CHECK(closest_pair(m.points) > 0.05);
    const bool is_one_sided = m.name == "OOK" || m.name == "4ASK" || m.name == "8ASK";
    CHECK((std::abs(mean) / count > 0.5) == is_one_sided);
  }
}

TEST_CASE("constellations are the published ones") {
  CHECK(points_of("OOK")[0] == std::complex<double>(0, 0));
  CHECK(points_of("OOK")[1].real() == Approx(std::numbers::sqrt2));
  CHECK(points_of("PAM4")[0].real() == Approx(-3 / std::sqrt(5.0)));
  CHECK(points_of("PAM4")[1].real() == Approx(-1 / std::sqrt(5.0)));
  for (const auto& point : points_of("QPSK")) {
    CHECK(std::abs(point.real()) == Approx(std::sqrt(0.5)));
    CHECK(std::abs(point.imag()) == Approx(std::sqrt(0.5)));
  }
  for (const auto& [name, count] : std::map<std::string, int>{{"BPSK", 2}, {"8PSK", 8}, {"16PSK", 16}, {"32PSK", 32}}) {
    INFO(name);
    CHECK(points_of(name).size() == static_cast<size_t>(count));
    CHECK(closest_pair(points_of(name)) == Approx(2 * std::sin(std::numbers::pi / count)));
  }
  // Smallest distance of M-QAM of power 1 on the grid of odd numbers: 2 / sqrt(mean of |point|^2), which is 10, 20, 42,
  // 82 and 170 (Proakis & Salehi, table 3.2-1 and section 4.3).
  for (const auto& [name, power] :
       std::map<std::string, double>{{"QAM16", 10}, {"32QAM", 20}, {"QAM64", 42}, {"128QAM", 82}, {"QAM256", 170}}) {
    INFO(name);
    CHECK(closest_pair(points_of(name)) == Approx(2 / std::sqrt(power)));
  }
  CHECK(radii_of(points_of("16APSK")) == std::map<long, int>{{1000, 4}, {2850, 12}});
  CHECK(radii_of(points_of("32APSK")) == std::map<long, int>{{1000, 4}, {2840, 12}, {5270, 16}});
  CHECK(radii_of(points_of("64APSK")) == std::map<long, int>{{1000, 4}, {2400, 12}, {4300, 20}, {7000, 28}});
  CHECK(radii_of(points_of("128APSK")).size() == 5);
  // DVB-S2's outer ring of 32APSK begins at 0 degrees, the others half a step above.
  const auto on_axis = [&](const char* name) {
    const auto points = points_of(name);
    return std::count_if(points.begin(), points.end(),
                         [](const auto& point) { return point.real() > 0 && std::abs(point.imag()) < 1e-9; });
  };
  CHECK(on_axis("32APSK") == 1);
  CHECK(on_axis("16APSK") == 0);
  CHECK(on_axis("64APSK") == 0);
}

TEST_CASE("the root raised cosine has unit energy and no crosstalk between symbols after itself") {
  for (const double a : {0.2, 0.35, 1.0}) {
    constexpr double kStep = 1.0 / 64, kFar = 200;
    for (int shift = 0; shift <= 6; ++shift) {
      double sum = 0;
      for (double t = -kFar; t <= kFar; t += kStep) {
        sum += root_raised_cosine(t, a) * root_raised_cosine(t - shift, a) * kStep;
      }
      INFO("roll-off " << a << ", symbol " << shift);
      CHECK(sum == Approx(shift == 0 ? 1 : 0).margin(2e-4));  // what lies beyond 200 symbols
    }
    // Where the formula is 0 / 0 its limit stands: the neighbours' mean.
    for (const double t : {0.0, 1 / (4 * a), -1 / (4 * a)}) {
      CHECK(root_raised_cosine(t, a) ==
            Approx((root_raised_cosine(t - 1e-4, a) + root_raised_cosine(t + 1e-4, a)) / 2).epsilon(1e-5));
    }
  }
}

TEST_CASE("phase pulses rise from 0 to 1, the Gaussian one as its filter says") {
  const auto gaussian = [](double t) { return gaussian_phase_pulse(t, 0.3); };
  for (const auto& pulse :
       {std::function<double(double)>(rectangular_phase_pulse), std::function<double(double)>(gaussian)}) {
    CHECK(pulse(-4) == Approx(0).margin(1e-9));
    CHECK(pulse(0) == Approx(0.5));
    CHECK(pulse(4) == Approx(1));
    for (double t = -3; t < 3; t += 0.01) CHECK(pulse(t + 0.01) >= pulse(t));
  }
  // By its definition: a box through a Gaussian filter, integrated; response of 3 dB less at BT = 0.3.
  const double deviation = std::sqrt(std::log(2.0)) / (2 * std::numbers::pi * 0.3);
  const auto response = std::exp(-2 * std::pow(std::numbers::pi * deviation * 0.3, 2));
  CHECK(20 * std::log10(response) == Approx(-3.0103).epsilon(1e-4));
  double sum = 0;
  constexpr double kStep = 1e-3;
  for (double t = -5; t < 0.7; t += kStep) {
    const double upper = std::erf((t + 0.5) / (deviation * std::numbers::sqrt2));
    const double lower = std::erf((t - 0.5) / (deviation * std::numbers::sqrt2));
    sum += 0.5 * (upper - lower) * kStep;
  }
  CHECK(gaussian(0.7) == Approx(sum).margin(1e-3));
}

TEST_CASE("a pulse's table says what the pulse is, for the symbols that feel it") {
  const auto f = [](double t) { return root_raised_cosine(t, 0.35); };
  const Pulse pulse(8, f);
  std::vector<float> weights(pulse.count());
  for (double t = 20; t < 22; t += 0.0137) {
    const int64_t first = pulse.weights(t, weights.data());
    CHECK(first == static_cast<int64_t>(std::floor(t)) - 7);
    for (size_t j = 0; j < weights.size(); ++j) {
      CHECK(static_cast<double>(weights[j]) ==
            Approx(f(t - static_cast<double>(first) - static_cast<double>(j))).margin(1e-5));
    }
  }
}

}  // namespace
}  // namespace amae
