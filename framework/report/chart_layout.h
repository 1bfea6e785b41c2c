// Sizes that the SVG charts share, in pixels or characters.
#pragma once

#include <cstddef>

namespace amae {

constexpr double kChartTop = 48, kChartMargin = 16, kChartFont = 12;
constexpr size_t kLabelCharacters = 40;

}  // namespace amae
