#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "report/chart_layout.h"
#include "report/color_map.h"
#include "report/plots.h"
#include "report/svg.h"

namespace amae {
namespace {

constexpr size_t kMaxNumberedClasses = 30;
constexpr double kDiagonal = 0.70710678118654752;

// Black or white, whichever stands out more on this colour (relative luminance and contrast of WCAG 2.1).
const char* ink_on(Color c) {
  const auto linear = [](double v) {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double luminance = 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
  return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? "#000" : "#fff";
}

double cell_size(size_t classes) {
  if (classes <= 4) return 56;
  if (classes <= 12) return 44;
  if (classes <= kMaxNumberedClasses) return 30;
  return classes <= 100 ? 15 : 9;
}

std::string colour_bar(double x, double y, double height) {
  constexpr int kSteps = 100;
  std::string out;
  const double step = height / kSteps;
  for (int i = 0; i < kSteps; ++i) {
    // Slightly taller than the step, so that no seam shows between two.
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"{}\" fill=\"{}\"/>\n", svg::number(x),
                       svg::number(y + i * step), svg::number(i + 1 < kSteps ? step + 0.5 : step),
                       hex(viridis(1 - (i + 0.5) / kSteps)));
  }
  for (const int percent : {0, 50, 100}) {
    out += svg::text_element(x + 18, y + height * (1 - percent / 100.0) + 4, "", fmt::format("{}%", percent));
  }
  return out;
}

}  // namespace

std::string confusion_svg(const std::string& title, const std::vector<std::string>& classes,
                          const std::vector<std::vector<int64_t>>& counts) {
  const size_t k = classes.size();
  if (counts.size() != k ||
      std::any_of(counts.begin(), counts.end(), [k](const auto& row) { return row.size() != k; })) {
    throw std::invalid_argument(fmt::format("confusion_svg: expected {} x {} counts", k, k));
  }
  const double cell = cell_size(k), font = std::min(12.0, cell * 0.8);
  double label = 0;
  for (const auto& name : classes) label = std::max(label, svg::width(svg::shortened(name, kLabelCharacters), font));
  const double side = cell * static_cast<double>(k), gap = k <= kMaxNumberedClasses ? 1 : 0;
  const double left = kChartMargin + 24 + label + 8;
  // Slanted labels hang below the matrix and lean to the left, into the room that the row labels need anyway.
  // Columns too narrow for slanted lines of text get upright ones.
  const bool slanted = cell * kDiagonal > font;
  const double bottom = 12 + (label + font) * (slanted ? kDiagonal : 1) + 30;
  const double bar = std::max(side, 80.0);
  const double width =
      std::max(left + side + 24 + 12 + 52, kChartMargin + svg::width(svg::shortened(title, 100), 15) + 16);
  const double height = kChartTop + std::max(side + bottom, bar + 24);

  std::string out = svg::open(width, height, title);
  out += svg::text_element(kChartMargin, 28, "class=\"amae-strong\"", svg::shortened(title, 100));
  if (k == 0) return out + svg::text_element(kChartMargin, kChartTop + 20, "", "no classes") + "</svg>\n";

  for (size_t t = 0; t < k; ++t) {
    const int64_t total = std::accumulate(counts[t].begin(), counts[t].end(), int64_t{0});
    const double y = kChartTop + cell * static_cast<double>(t);
    out += svg::text_element(left - 8, y + cell / 2 + font * 0.35,
                             fmt::format("text-anchor=\"end\" style=\"font-size:{}px\"", svg::number(font)),
                             svg::shortened(classes[t], kLabelCharacters));
    for (size_t p = 0; p < k; ++p) {
      const int64_t count = counts[t][p];
      const double share = total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
      const Color colour = viridis(share);
      const double x = left + cell * static_cast<double>(p);
      out += fmt::format(
          "<g><title>true {}, predicted {}: {} ({:.1f}%)</title><rect x=\"{}\" y=\"{}\" width=\"{}\" "
          "height=\"{}\" shape-rendering=\"crispEdges\" {}/>",
          svg::escape(classes[t]), svg::escape(classes[p]), count, 100 * share, svg::number(x), svg::number(y),
          svg::number(cell - gap), svg::number(cell - gap),
          total > 0 ? fmt::format("fill=\"{}\"", hex(colour)) : "class=\"amae-empty\"");
      if (k <= kMaxNumberedClasses) {
        const std::string digits = std::to_string(count);
        const double size = std::min(font, (cell - 4) / (0.62 * static_cast<double>(digits.size())));
        // Zeros step back: what matters is where the counts are.
        const std::string ink =
            total == 0 ? "" : fmt::format("fill:{};{}", ink_on(colour), count == 0 ? "opacity:.4;" : "");
        out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" style=\"{}font-size:{}px\">{}</text>",
                           svg::number(x + (cell - gap) / 2), svg::number(y + (cell - gap) / 2 + size * 0.35), ink,
                           svg::number(size), digits);
      }
      out += "</g>\n";
    }
  }
  for (size_t p = 0; p < k; ++p) {
    const double x = left + cell * (static_cast<double>(p) + 0.5) + font * (slanted ? 0.25 : 0.35),
                 y = kChartTop + side + 12;
    out += svg::text_element(x, y,
                             fmt::format("text-anchor=\"end\" style=\"font-size:{}px\" transform=\"rotate({} {} {})\"",
                                         svg::number(font), slanted ? -45 : -90, svg::number(x), svg::number(y)),
                             svg::shortened(classes[p], kLabelCharacters));
  }
  const double middle = kChartTop + side / 2;
  out += svg::text_element(
      kChartMargin + 8, middle,
      fmt::format("text-anchor=\"middle\" transform=\"rotate(-90 {} {})\"", kChartMargin + 8, svg::number(middle)),
      "true class");
  out +=
      svg::text_element(left + side / 2, kChartTop + side + bottom - 12, "text-anchor=\"middle\"", "predicted class");
  out += colour_bar(left + side + 24, kChartTop, bar);
  return out + "</svg>\n";
}

}  // namespace amae
