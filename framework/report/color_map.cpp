#include "report/color_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace amae {
namespace {

constexpr std::array<Color, 10> kViridis = {{{68, 1, 84},
                                             {72, 40, 120},
                                             {62, 74, 137},
                                             {49, 104, 142},
                                             {38, 130, 142},
                                             {31, 158, 137},
                                             {53, 183, 121},
                                             {109, 205, 89},
                                             {180, 222, 44},
                                             {253, 231, 37}}};

}  // namespace

Color viridis(double share) {
  const double at = share > 0 ? std::min(share, 1.0) * (kViridis.size() - 1) : 0;
  const auto low = std::min(static_cast<size_t>(at), kViridis.size() - 2);
  const double part = at - static_cast<double>(low);
  const auto mixed = [part](uint8_t a, uint8_t b) { return static_cast<uint8_t>(std::lround(a + part * (b - a))); };
  const Color &a = kViridis[low], &b = kViridis[low + 1];
  return {mixed(a.red, b.red), mixed(a.green, b.green), mixed(a.blue, b.blue)};
}

std::string hex(Color c) { return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue); }

}  // namespace amae
