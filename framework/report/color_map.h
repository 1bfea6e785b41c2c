// The colour map viridis: light to the eye means much, for people with any colour vision and in print.
#pragma once

#include <cstdint>
#include <string>

namespace amae {

struct Color {
  uint8_t red = 0, green = 0, blue = 0;
};

/// `share` 0 (violet) to 1 (yellow); outside it the ends, NaN as 0.
/// Ten published stops (van der Walt & Smith 2015, CC0), linear between them: off by at most a few of 255.
Color viridis(double share);

/// "#rrggbb".
std::string hex(Color color);

}  // namespace amae
