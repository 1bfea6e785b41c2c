#include "modulation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

namespace amae {
namespace {

using Points = std::vector<std::complex<double>>;

Points of_unit_power(Points points) {
  double power = 0;
  for (const auto& point : points) power += std::norm(point);
  const double factor = 1 / std::sqrt(power / static_cast<double>(points.size()));
  for (auto& point : points) point *= factor;
  return points;
}

/// Amplitudes first, first + step, …
Points amplitudes(int count, double first, double step) {
  Points points;
  for (int k = 0; k < count; ++k) points.emplace_back(first + step * k, 0.0);
  return of_unit_power(std::move(points));
}

struct Ring {
  int count;
  double radius;
  double first = 0.5;  ///< where the first point stands, in steps from 0 degrees
};

Points rings(const std::vector<Ring>& all) {
  Points points;
  for (const auto& [count, radius, first] : all) {
    for (int k = 0; k < count; ++k) points.push_back(std::polar(radius, 2 * std::numbers::pi * (k + first) / count));
  }
  return of_unit_power(std::move(points));
}

Points phases(int count, double turns = 0) {
  Points points;
  for (int k = 0; k < count; ++k) {
    points.push_back(std::polar(1.0, 2 * std::numbers::pi * (turns + static_cast<double>(k) / count)));
  }
  return points;
}

/// A grid of side x side points without the corners of cut x cut, row by row.
Points grid(int side, int cut = 0) {
  const auto is_outer = [&](int k) { return k < cut || k >= side - cut; };
  Points points;
  for (int i = 0; i < side; ++i) {
    for (int q = 0; q < side; ++q) {
      if (!is_outer(i) || !is_outer(q)) points.emplace_back(2 * i - side + 1, 2 * q - side + 1);
    }
  }
  return of_unit_power(std::move(points));
}

}  // namespace

int Modulation::bits() const {
  if (!is_digital(family)) return 0;
  return points.empty() ? 1 : std::countr_zero(points.size());
}

const std::vector<Modulation>& modulations() {
  static const std::vector<Modulation> all = {
      {"OOK", "", Family::linear, amplitudes(2, 0, 1)},
      {"4ASK", "", Family::linear, amplitudes(4, 0, 1)},
      {"8ASK", "", Family::linear, amplitudes(8, 0, 1)},
      {"PAM4", "", Family::linear, amplitudes(4, -3, 2)},
      {"BPSK", "", Family::linear, phases(2)},
      {"QPSK", "", Family::linear, phases(4, 0.125)},
      {"8PSK", "", Family::linear, phases(8)},
      {"16PSK", "", Family::linear, phases(16)},
      {"32PSK", "", Family::linear, phases(32)},
      {"16APSK", "", Family::linear, rings({{4, 1}, {12, 2.85}})},
      {"32APSK", "", Family::linear, rings({{4, 1}, {12, 2.84}, {16, 5.27, 0}})},
      {"64APSK", "", Family::linear, rings({{4, 1}, {12, 2.4}, {20, 4.3}, {28, 7}})},
      {"128APSK", "", Family::linear, rings({{8, 1}, {16, 2}, {24, 3}, {36, 4}, {44, 5}})},
      {"QAM16", "16QAM", Family::linear, grid(4)},
      {"32QAM", "", Family::linear, grid(6, 1)},
      {"QAM64", "64QAM", Family::linear, grid(8)},
      {"128QAM", "", Family::linear, grid(12, 2)},
      {"QAM256", "256QAM", Family::linear, grid(16)},
      {"OQPSK", "", Family::offset, phases(4, 0.125)},
      {"CPFSK", "", Family::cpfsk},
      {"GFSK", "", Family::gfsk},
      {"GMSK", "", Family::gmsk},
      {"AM-DSB", "AM-DSB-WC", Family::am_dsb_wc},
      {"AM-DSB-SC", "", Family::am_dsb_sc},
      {"AM-SSB-WC", "", Family::am_ssb_wc},
      {"AM-SSB", "AM-SSB-SC", Family::am_ssb_sc},
      {"WBFM", "FM", Family::wbfm},
  };
  return all;
}

const Modulation* find_modulation(const std::string& name) {
  const auto& all = modulations();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Modulation& m) { return m.name == name || m.other_name == name; });
  return found == all.end() || name.empty() ? nullptr : &*found;
}

}  // namespace amae
