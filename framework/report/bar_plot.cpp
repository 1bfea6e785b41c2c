#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "report/chart_layout.h"
#include "report/color_map.h"
#include "report/plots.h"
#include "report/svg.h"

namespace amae {
namespace {

constexpr double kBar = 480, kLegendItem = 14;
constexpr size_t kMaxLegendBars = 20;

std::string color_of(size_t part, size_t parts) {
  // The ends of the map are too dark and too pale beside the page.
  const double share = parts < 2 ? 0.35 : 0.12 + 0.8 * static_cast<double>(part) / static_cast<double>(parts - 1);
  const Color c = viridis(share);
  return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue);
}

/// One line, or several, of colour and name; `y` moves below it.
std::string legend(const std::vector<std::string>& parts, double left, double& y) {
  if (parts.size() < 2 || parts.size() > kMaxLegendBars) return "";
  std::string out;
  double x = left;
  for (size_t p = 0; p < parts.size(); ++p) {
    const std::string name = svg::shortened(parts[p], kLabelCharacters);
    const double width = kLegendItem + 6 + svg::width(name, kChartFont) + 14;
    if (x > left && x + width > left + kBar) x = left, y += 20;
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"12\" fill=\"{}\"/>\n", svg::number(x),
                       svg::number(y - 10), svg::number(kLegendItem), color_of(p, parts.size()));
    out += svg::text_element(x + kLegendItem + 6, y, "", name);
    x += width;
  }
  y += 20;
  return out;
}

}  // namespace

std::string stacked_bars_svg(const std::string& title, const std::string& x_label,
                             const std::vector<std::string>& names, const std::vector<std::string>& parts,
                             const std::vector<std::vector<int64_t>>& counts) {
  if (counts.size() != names.size() ||
      std::any_of(counts.begin(), counts.end(), [&](const auto& row) { return row.size() != parts.size(); })) {
    throw std::invalid_argument(fmt::format("stacked_bars_svg: expected {} x {} counts", names.size(), parts.size()));
  }
  double label = 0;
  for (const auto& name : names)
    label = std::max(label, svg::width(svg::shortened(name, kLabelCharacters), kChartFont));
  std::vector<int64_t> sums;
  for (const auto& row : counts) sums.push_back(std::accumulate(row.begin(), row.end(), int64_t{0}));
  const int64_t largest = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
  const double scale = kBar / static_cast<double>(std::max<int64_t>(1, largest));
  const double left = kChartMargin + label + 8, step = names.size() > 60 ? 15 : 22;
  double top = kChartTop + 4;
  const std::string legend_text = legend(parts, left, top);
  const double bottom = top + step * static_cast<double>(names.size()), height = bottom + 48;
  const double width = std::max(left + kBar + 8 + svg::width(std::to_string(largest), kChartFont) + kChartMargin,
                                kChartMargin + svg::width(svg::shortened(title, 100), 15) + 16);

  std::string out = svg::open(width, height, title);
  out += svg::text_element(kChartMargin, 28, "class=\"amae-strong\"", svg::shortened(title, 100));
  out += legend_text;
  const svg::Ticks ticks = svg::ticks(0, static_cast<double>(std::max<int64_t>(1, largest)), 6, true);
  for (const double value : ticks.values) {
    const double x = left + value * scale;
    out += fmt::format("<path class=\"amae-grid\" d=\"M{} {}V{}\"/>\n", svg::number(x), svg::number(top - 2),
                       svg::number(bottom + 4));
    out += svg::text_element(x, bottom + 18, "text-anchor=\"middle\"", svg::tick_label(value, ticks));
  }
  for (size_t n = 0; n < names.size(); ++n) {
    const double y = top + step * static_cast<double>(n);
    out += svg::text_element(left - 8, y + step / 2 + kChartFont * 0.35, "text-anchor=\"end\"",
                             svg::shortened(names[n], kLabelCharacters));
    double x = left;
    for (size_t p = 0; p < parts.size(); ++p) {
      const double piece = static_cast<double>(counts[n][p]) * scale;
      if (counts[n][p] == 0) continue;
      out += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>{}, {}: {}</title></rect>\n",
          svg::number(x), svg::number(y + 2), svg::number(std::max(piece - 1, 0.5)), svg::number(step - 4),
          color_of(p, parts.size()), svg::escape(names[n]), svg::escape(parts[p]), counts[n][p]);
      x += piece;
    }
    out += svg::text_element(x + 6, y + step / 2 + kChartFont * 0.35, "", std::to_string(sums[n]));
  }
  out += svg::text_element(left + kBar / 2, bottom + 38, "text-anchor=\"middle\"", x_label);
  return out + "</svg>\n";
}

}  // namespace amae
