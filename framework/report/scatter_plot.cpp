#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "report/chart_layout.h"
#include "report/color_map.h"
#include "report/plots.h"
#include "report/svg.h"

namespace amae {
namespace {

constexpr double kMapWidth = 640, kMapHeight = 560, kRow = 18, kRim = 0.03;  // rim: free share of the map at each side
constexpr double kLegendX = kChartMargin + kMapWidth + 16;
constexpr size_t kLegendRows = 30, kMaxLegendGroups = 2 * kLegendRows;
constexpr size_t kMaxTitledPoints = 20'000;
constexpr const char* kGrey = "#9aa0a6";

enum class Shape : uint8_t { circle, square, triangle, diamond, cross };
constexpr size_t kShapes = 5, kHues = 12;

/// A colour of given lightness (0..1) and hue (in turns), about as vivid as the screen can show at all of them.
/// Source: Ottosson 2020, "A perceptual color space for image processing" (Oklab).
Color oklab(double lightness, double hue) {
  constexpr double kChroma = 0.13;
  const double a = kChroma * std::cos(2 * std::numbers::pi * hue), b = kChroma * std::sin(2 * std::numbers::pi * hue);
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b),
               m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b),
               s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  const auto byte = [](double linear) {
    const double v = std::clamp(linear, 0.0, 1.0);
    return static_cast<uint8_t>(std::lround(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055)));
  };
  return {byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

/// What tells a group from the others.
struct Look {
  Shape shape = Shape::circle;
  std::string fill;  ///< attribute of its points
};

Look look_of(size_t group, size_t groups) {
  if (groups <= kChartColours.size()) {
    const char* const colour = kChartColours[group];
    return {Shape::circle, colour == nullptr ? "class=\"amae-ink-dot\"" : fmt::format("fill=\"{}\"", colour)};
  }
  // 5 of 12 hues on: groups with near numbers look unlike. 12 hues and 5 shapes have no common divisor, so 60 groups
  // have 60 pairs of them; the lightness moves with the group too and makes the first 36 colours differ.
  constexpr std::array<double, 3> kLightness = {0.62, 0.46, 0.77};
  const double hue = static_cast<double>(group * 5 % kHues) / kHues;
  const Color colour = oklab(kLightness[(group + group / kHues) % kLightness.size()], hue);
  return {static_cast<Shape>(group % kShapes), fmt::format("fill=\"{}\"", hex(colour))};
}

/// An element without its end, "<circle ..."; shapes of about equal area, filled, so that one attribute colours all.
std::string marker(Shape shape, double x, double y, double radius) {
  const auto n = svg::number;
  const double r = radius;
  switch (shape) {
    case Shape::circle:
      break;
    case Shape::square:
      return fmt::format("<path d=\"M{} {}h{}v{}h{}z\"", n(x - 0.89 * r), n(y - 0.89 * r), n(1.78 * r), n(1.78 * r),
                         n(-1.78 * r));
    case Shape::triangle:
      return fmt::format("<path d=\"M{} {}l{} {}h{}z\"", n(x), n(y - 1.5 * r), n(1.3 * r), n(2.25 * r), n(-2.6 * r));
    case Shape::diamond:
      return fmt::format("<path d=\"M{} {}l{} {}l{} {}l{} {}z\"", n(x), n(y - 1.35 * r), n(1.1 * r), n(1.35 * r),
                         n(-1.1 * r), n(1.35 * r), n(-1.1 * r), n(-1.35 * r));
    case Shape::cross: {
      const std::string arm = n(0.9 * r), back = n(-0.9 * r), bar = n(0.8 * r), bar_back = n(-0.8 * r);
      return fmt::format("<path d=\"M{} {}h{}v{}h{}v{}h{}v{}h{}v{}h{}v{}h{}z\"", n(x - 0.4 * r), n(y - 1.3 * r), bar,
                         arm, arm, bar, back, arm, bar_back, back, back, bar_back, arm);
    }
  }
  return fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", n(x), n(y), n(r));
}

/// Where points go and how they look, for a whole picture.
class Map {
 public:
  void take(const std::vector<double>& x, const std::vector<double>& y) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (!drawable(x[i]) || !drawable(y[i])) continue;
      x_.take(x[i]);
      y_.take(y[i]);
      ++points_;
    }
  }

  [[nodiscard]] std::string frame() const {
    const std::string box = fmt::format("<rect class=\"amae-grid\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                                        kChartMargin, kChartTop, kMapWidth, kMapHeight);
    return points_ > 0 ? box
                       : box + svg::text_element(kChartMargin + kMapWidth / 2, kChartTop + kMapHeight / 2,
                                                 "text-anchor=\"middle\"", "no data");
  }

  /// One marker; nothing where it cannot be drawn. `attributes` begin with a space or are empty.
  [[nodiscard]] std::string point(Shape shape, double x, double y, const std::string& attributes,
                                  const std::string& title) const {
    if (!drawable(x) || !drawable(y)) return "";
    const double left = kChartMargin + kMapWidth * (kRim + (1 - 2 * kRim) * x_.share(x)),
                 top = kChartTop + kMapHeight * (1 - kRim - (1 - 2 * kRim) * y_.share(y));
    const std::string begin = marker(shape, left, top, radius()) + attributes;
    if (title.empty() || points_ > kMaxTitledPoints) return begin + "/>\n";
    return fmt::format("{}><title>{}</title>{}\n", begin, svg::escape(title),
                       shape == Shape::circle ? "</circle>" : "</path>");
  }

 private:
  /// Shrinks slowly, so that a map of 100 points is not pale and one of 100,000 not a blot.
  [[nodiscard]] double radius() const {
    return std::clamp(16 / std::pow(static_cast<double>(std::max<size_t>(points_, 1)), 0.25), 0.6, 4.5);
  }

  DrawnRange x_, y_;
  size_t points_ = 0;
};

std::string begin_picture(const std::string& title, double legend_width) {
  const std::string shown = svg::shortened(title, 100);
  const double width = std::max(kLegendX + legend_width, kChartMargin + svg::width(shown, 15) + kChartMargin);
  return svg::open(width, kChartTop + kMapHeight + kRow + 8, title) +
         svg::text_element(kChartMargin, 28, "class=\"amae-strong\"", shown);
}

/// The bar from the lowest number at the bottom to the highest, with ticks beside it.
std::string colour_bar(const DrawnRange& range, bool whole, const std::string& name) {
  constexpr double kTop = kChartTop + 28, kHeight = 280;
  constexpr int kSteps = 100;
  std::string out = svg::text_element(kLegendX, kChartTop + 10, "", svg::shortened(name, kLegendCharacters));
  if (range.low > range.high) return out;
  const double step = kHeight / kSteps;
  for (int i = 0; i < kSteps; ++i) {
    // Slightly taller than the step, so that no seam shows between two.
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"{}\" fill=\"{}\"/>\n", svg::number(kLegendX),
                       svg::number(kTop + i * step), svg::number(i + 1 < kSteps ? step + 0.5 : step),
                       hex(viridis(1 - (i + 0.5) / kSteps)));
  }
  const auto label = [&](double value, const std::string& text) {
    out += svg::text_element(kLegendX + 18, kTop + kHeight * (1 - range.share(value)) + 4, "", text);
  };
  if (range.low == range.high) {
    label(range.low, fmt::format("{:.6g}", range.low));
    return out;
  }
  const svg::Ticks ticks = svg::ticks(range.low, range.high, 6, whole);
  for (const double value : ticks.values) label(value, svg::tick_label(value, ticks));
  return out;
}

}  // namespace

std::string scatter_svg(const std::string& title, const std::vector<ScatterGroup>& groups) {
  Map map;
  std::vector<size_t> named;
  for (size_t g = 0; g < groups.size(); ++g) {
    const ScatterGroup& group = groups[g];
    if (group.x.size() != group.y.size() || (!group.titles.empty() && group.titles.size() != group.x.size())) {
      throw std::invalid_argument(fmt::format("scatter_svg: group {} has {} x, {} y and {} titles", group.name,
                                              group.x.size(), group.y.size(), group.titles.size()));
    }
    map.take(group.x, group.y);
    if (!group.name.empty()) named.push_back(g);
  }

  const size_t shown = std::min(named.size(), kMaxLegendGroups);
  std::array<double, 2> widths{};  // of the legend's columns
  for (size_t i = 0; i < shown; ++i) {
    double& width = widths[i / kLegendRows];
    width = std::max(width, 40 + svg::width(svg::shortened(groups[named[i]].name, kLegendCharacters), kChartFont));
  }

  std::string out = begin_picture(title, std::max(widths[0] + widths[1], kChartMargin)) + map.frame();
  for (size_t g = 0; g < groups.size(); ++g) {
    const ScatterGroup& group = groups[g];
    const Look look = look_of(g, groups.size());
    out += fmt::format("<g {} fill-opacity=\"0.8\"><title>{}</title>\n", look.fill, svg::escape(group.name));
    for (size_t i = 0; i < group.x.size(); ++i) {
      out += map.point(look.shape, group.x[i], group.y[i], "", group.titles.empty() ? group.name : group.titles[i]);
    }
    out += "</g>\n";
  }
  for (size_t i = 0; i < shown; ++i) {
    const Look look = look_of(named[i], groups.size());
    const double x = kLegendX + (i < kLegendRows ? 0 : widths[0]),
                 y = kChartTop + 10 + kRow * static_cast<double>(i % kLegendRows);
    out += fmt::format("{} {}/>\n", marker(look.shape, x + 6, y, 4.5), look.fill);
    out += svg::text_element(x + 18, y + 4, "", svg::shortened(groups[named[i]].name, kLegendCharacters));
  }
  if (shown < named.size()) {
    out += svg::text_element(kLegendX + 18, kChartTop + 14 + kRow * kLegendRows, "",
                             fmt::format("and {} more", named.size() - shown));
  }
  return out + "</svg>\n";
}

std::string scatter_svg(const std::string& title, const std::vector<double>& x, const std::vector<double>& y,
                        const std::vector<double>& values, const std::string& value_name,
                        const std::vector<std::string>& titles) {
  if (x.size() != y.size() || x.size() != values.size() || (!titles.empty() && titles.size() != x.size())) {
    throw std::invalid_argument(fmt::format("scatter_svg: got {} x, {} y, {} values and {} titles", x.size(), y.size(),
                                            values.size(), titles.size()));
  }
  Map map;
  map.take(x, y);
  DrawnRange range;
  bool whole = true;
  for (const double value : values) {
    if (!drawable(value)) continue;
    range.take(value);
    whole = whole && value == std::floor(value);
  }
  const double legend_width =
      std::max(90.0, svg::width(svg::shortened(value_name, kLegendCharacters), kChartFont) + 16);
  std::string out = begin_picture(title, legend_width) + map.frame();
  bool has_grey = false;
  for (const bool with_value : {false, true}) {  // what has a value lies on top
    out += with_value ? "<g fill-opacity=\"0.8\">\n" : fmt::format("<g fill=\"{}\" fill-opacity=\"0.8\">\n", kGrey);
    for (size_t i = 0; i < x.size(); ++i) {
      if (drawable(values[i]) != with_value) continue;
      has_grey = has_grey || !with_value;
      const std::string fill =
          with_value ? fmt::format(" fill=\"{}\"", hex(viridis(range.share(values[i])))) : std::string();
      const std::string number = with_value ? fmt::format("{:.6g}", values[i]) : "no value";
      out += map.point(Shape::circle, x[i], y[i], fill, titles.empty() ? number : titles[i] + ": " + number);
    }
    out += "</g>\n";
  }
  out += colour_bar(range, whole, value_name);
  if (has_grey) {
    out += fmt::format("{} fill=\"{}\"/>\n", marker(Shape::circle, kLegendX + 6, kChartTop + 340, 4.5), kGrey);
    out += svg::text_element(kLegendX + 18, kChartTop + 344, "", "no value");
  }
  return out + "</svg>\n";
}

}  // namespace amae
