// What the SVG charts share: sizes, in pixels or characters, colours, and the range of what is drawn.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace amae {

constexpr double kChartTop = 48, kChartMargin = 16, kChartFont = 12;
constexpr size_t kLabelCharacters = 40, kLegendCharacters = 32;

/// Okabe & Ito 2008, "Color Universal Design". Null is their black, the page's ink, which comes from the style sheet;
/// yellow is last because it is faint on white.
constexpr size_t kInkAt = 6;
constexpr std::array<const char*, 8> kChartColours = {"#0072B2", "#E69F00", "#009E73", "#D55E00",
                                                      "#CC79A7", "#56B4E9", nullptr,   "#F0E442"};

/// Differences of drawn numbers must stay finite.
inline bool drawable(double value) { return std::isfinite(value) && std::abs(value) <= 1e300; }

/// From the lowest to the highest value that it was given.
struct DrawnRange {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(double value) { low = std::min(low, value), high = std::max(high, value); }
  [[nodiscard]] bool empty() const { return low > high; }
  /// 0..1; the middle when there is only one value.
  [[nodiscard]] double share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

}  // namespace amae
