#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "report/chart_layout.h"
#include "report/plots.h"
#include "report/svg.h"

namespace amae {
namespace {

constexpr double kPlotWidth = 560, kPlotHeight = 320, kBottom = 56;
constexpr size_t kMaxLegendCurves = 40;
constexpr size_t kMaxPoints = 2'000;  // per unbroken piece of a curve; beyond, extremes of buckets are drawn
constexpr std::array<const char*, 5> kDashes = {"", "6 4", "2 4", "8 3 2 3", "12 3 2 3 2 3"};
constexpr size_t kMaxMarkedPoints = 60;  // of a main curve

/// What tells a curve from the others.
struct Style {
  std::string line, dot;  ///< attributes of its path and of its points
};

Style style_of(const char* colour, const std::string& classes, size_t round) {
  const char* const dashes = kDashes[round % kDashes.size()];
  const std::string dash = *dashes == '\0' ? "" : fmt::format(" stroke-dasharray=\"{}\"", dashes);
  if (colour == nullptr) return {fmt::format("class=\"{} amae-ink\"{}", classes, dash), "class=\"amae-ink-dot\""};
  return {fmt::format("class=\"{}\" stroke=\"{}\"{}", classes, colour, dash), fmt::format("fill=\"{}\"", colour)};
}

/// Colours in turn, then the same with dashes.
std::vector<Style> styles_of(const std::vector<Curve>& curves) {
  const bool has_main = std::any_of(curves.begin(), curves.end(), [](const Curve& curve) { return curve.is_main; });
  std::vector<const char*> colours(kChartColours.begin(), kChartColours.end());
  if (has_main) colours.erase(colours.begin() + kInkAt);  // the main curve alone has the page's ink
  std::vector<Style> styles;
  size_t number = 0;
  for (const Curve& curve : curves) {
    if (curve.is_main) {
      styles.push_back(style_of(nullptr, "amae-line amae-main", 0));
    } else {
      styles.push_back(style_of(colours[number % colours.size()], has_main ? "amae-line amae-thin" : "amae-line",
                                number / colours.size()));
      ++number;
    }
  }
  return styles;
}

/// A line needs some room around a single value.
void open_up(DrawnRange& range) {
  if (range.empty()) range.low = 0, range.high = 1;
  const double magnitude = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > 1e-9 * magnitude && range.high != range.low) return;
  const double room = magnitude == 0 ? 0.5 : 0.1 * magnitude;
  range.low -= room, range.high += room;
}

using Points = std::vector<std::pair<double, double>>;

// Keeps the lowest and highest point of each bucket in their order, so that no spike gets lost.
Points thinned(const Points& points) {
  if (points.size() <= kMaxPoints) return points;
  const size_t buckets = kMaxPoints / 2;
  Points out{points.front()};
  for (size_t b = 0; b < buckets; ++b) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(b * points.size() / buckets);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((b + 1) * points.size() / buckets);
    auto [low, high] = std::minmax_element(begin, end, [](auto& l, auto& r) { return l.second < r.second; });
    if (high < low) std::swap(low, high);
    out.push_back(*low);
    if (high != low) out.push_back(*high);
  }
  out.push_back(points.back());
  return out;
}

class Chart {
 public:
  Chart(const std::vector<Curve>& curves, AxisRange y_range, double left) : left_(left) {
    bool whole = true;
    for (const Curve& curve : curves) {
      if (curve.x.size() != curve.y.size()) {
        throw std::invalid_argument(
            fmt::format("line_chart_svg: curve {} has {} x and {} y", curve.name, curve.x.size(), curve.y.size()));
      }
      if (curve.low.size() != curve.high.size() || (!curve.low.empty() && curve.low.size() != curve.y.size())) {
        throw std::invalid_argument(fmt::format("line_chart_svg: curve {} has {} y and a band of {} and {}", curve.name,
                                                curve.y.size(), curve.low.size(), curve.high.size()));
      }
      for (size_t i = 0; i < curve.x.size(); ++i) {
        if (!drawable(curve.x[i]) || !drawable(curve.y[i])) continue;
        x_.take(curve.x[i]);
        y_.take(curve.y[i]);
        if (has_band(curve, i)) y_.take(curve.low[i]), y_.take(curve.high[i]);
        whole = whole && curve.x[i] == std::floor(curve.x[i]);
      }
    }
    has_points_ = !x_.empty();
    if (y_range.low < y_range.high) y_.take(y_range.low), y_.take(y_range.high);
    open_up(x_);
    open_up(y_);
    x_ticks_ = svg::ticks(x_.low, x_.high, 8, whole && has_points_);
    y_ticks_ = svg::ticks(y_.low, y_.high, 6, false);
    // The vertical axis begins and ends on a tick; the horizontal one where the data do.
    y_.low = std::floor(y_.low / y_ticks_.step + 1e-9) * y_ticks_.step;
    y_.high = std::ceil(y_.high / y_ticks_.step - 1e-9) * y_ticks_.step;
    y_ticks_ = svg::ticks(y_.low, y_.high, static_cast<int>(std::lround((y_.high - y_.low) / y_ticks_.step)), false);
  }

  void move_to(double left) { left_ = left; }
  [[nodiscard]] double y_label_width() const {
    double widest = 0;
    for (const double v : y_ticks_.values)
      widest = std::max(widest, svg::width(svg::tick_label(v, y_ticks_), kChartFont));
    return widest;
  }

  [[nodiscard]] std::string axes() const {
    std::string out;
    for (const double v : y_ticks_.values) {
      out += fmt::format("<path class=\"amae-grid\" d=\"M{} {}h{}\"/>\n", svg::number(left_), svg::number(y(v)),
                         kPlotWidth);
      out += svg::text_element(left_ - 8, y(v) + 4, "text-anchor=\"end\"", svg::tick_label(v, y_ticks_));
    }
    for (const double v : x_ticks_.values) {
      out += fmt::format("<path class=\"amae-grid\" d=\"M{} {}v{}\"/>\n", svg::number(x(v)), kChartTop, kPlotHeight);
      out +=
          svg::text_element(x(v), kChartTop + kPlotHeight + 18, "text-anchor=\"middle\"", svg::tick_label(v, x_ticks_));
    }
    out += fmt::format("<path class=\"amae-axis\" d=\"M{} {}v{}h{}\"/>\n", svg::number(left_), kChartTop, kPlotHeight,
                       kPlotWidth);
    if (!has_points_) {
      out +=
          svg::text_element(left_ + kPlotWidth / 2, kChartTop + kPlotHeight / 2, "text-anchor=\"middle\"", "no data");
    }
    return out;
  }

  [[nodiscard]] std::string curve(const Curve& curve, const Style& style) const {
    std::string path, dots;
    Points piece;
    const bool marks_points = curve.is_main && curve.x.size() <= kMaxMarkedPoints;
    const auto finish = [&] {
      if (piece.size() == 1 || marks_points) {
        for (const auto& [px, py] : piece) {
          dots += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" {}/>\n", svg::number(x(px)), svg::number(y(py)),
                              style.dot);
        }
      }
      if (piece.size() > 1) {
        const char* command = "M";
        for (const auto& [px, py] : thinned(piece)) {
          path += fmt::format("{}{} {}", command, svg::number(x(px)), svg::number(y(py)));
          command = "L";
        }
      }
      piece.clear();
    };
    for (size_t i = 0; i < curve.x.size(); ++i) {
      if (drawable(curve.x[i]) && drawable(curve.y[i])) {
        piece.emplace_back(curve.x[i], curve.y[i]);
      } else {
        finish();
      }
    }
    finish();
    if (!path.empty()) path = fmt::format("<path {} d=\"{}\"/>\n", style.line, path);
    if (path.empty() && dots.empty()) return "";
    return fmt::format("<g><title>{}</title>\n{}{}{}</g>\n", svg::escape(curve.name), band(curve), path, dots);
  }

 private:
  [[nodiscard]] static bool has_band(const Curve& curve, size_t i) {
    return curve.is_main && !curve.low.empty() && drawable(curve.low[i]) && drawable(curve.high[i]);
  }

  /// One area for each unbroken piece: along the upper ends and back along the lower ones.
  [[nodiscard]] std::string band(const Curve& curve) const {
    std::string areas;
    std::vector<size_t> piece;
    const auto finish = [&] {
      if (piece.size() > 1) {
        std::string path;
        for (const size_t i : piece)
          path += fmt::format("{}{} {}", path.empty() ? "M" : "L", svg::number(x(curve.x[i])),
                              svg::number(y(curve.high[i])));
        for (auto i = piece.rbegin(); i != piece.rend(); ++i)
          path += fmt::format("L{} {}", svg::number(x(curve.x[*i])), svg::number(y(curve.low[*i])));
        areas += fmt::format("<path class=\"amae-band\" d=\"{}Z\"/>\n", path);
      }
      piece.clear();
    };
    for (size_t i = 0; i < curve.x.size(); ++i) {
      if (drawable(curve.x[i]) && drawable(curve.y[i]) && has_band(curve, i)) {
        piece.push_back(i);
      } else {
        finish();
      }
    }
    finish();
    return areas;
  }

  [[nodiscard]] double x(double value) const { return left_ + (value - x_.low) / (x_.high - x_.low) * kPlotWidth; }
  [[nodiscard]] double y(double value) const {
    return kChartTop + (y_.high - value) / (y_.high - y_.low) * kPlotHeight;
  }

  double left_;
  bool has_points_ = false;
  DrawnRange x_, y_;
  svg::Ticks x_ticks_, y_ticks_;
};

}  // namespace

std::string line_chart_svg(const std::string& title, const std::string& x_label, const std::string& y_label,
                           const std::vector<Curve>& curves, AxisRange y_range) {
  const std::vector<Style> styles = styles_of(curves);
  Chart chart(curves, y_range, 0);
  const double left = 16 + (y_label.empty() ? 0 : 20) + chart.y_label_width() + 8;
  chart.move_to(left);

  double legend_width = 0;
  size_t entries = 0;
  for (const Curve& curve : curves) {
    if (curve.name.empty() || entries == kMaxLegendCurves) continue;
    ++entries;
    legend_width = std::max(legend_width, 34 + svg::width(svg::shortened(curve.name, kLegendCharacters), kChartFont));
  }
  const double right = entries == 0 ? 24 : 20 + legend_width + 16;
  const double title_width = svg::width(svg::shortened(title, 100), 15);
  const double width = std::max(left + kPlotWidth + right, left + title_width + 16);
  const double height = kChartTop + std::max(kPlotHeight + kBottom, 20.0 * static_cast<double>(entries + 1) + 20);

  std::string out = svg::open(width, height, title);
  out += svg::text_element(left, 28, "class=\"amae-strong\"", svg::shortened(title, 100));
  out += chart.axes();
  for (const bool on_top : {false, true}) {  // what matters most lies on top
    for (size_t i = 0; i < curves.size(); ++i) {
      if (curves[i].is_main == on_top) out += chart.curve(curves[i], styles[i]);
    }
  }
  out += svg::text_element(left + kPlotWidth / 2, kChartTop + kPlotHeight + 42, "text-anchor=\"middle\"", x_label);
  if (!y_label.empty()) {
    const double middle = kChartTop + kPlotHeight / 2;
    out += svg::text_element(22, middle, fmt::format("text-anchor=\"middle\" transform=\"rotate(-90 22 {})\"", middle),
                             y_label);
  }
  double y = kChartTop + 10;
  size_t shown = 0;
  for (size_t i = 0; i < curves.size(); ++i) {
    if (curves[i].name.empty()) continue;
    const double x = left + kPlotWidth + 20;
    if (shown++ == kMaxLegendCurves) {
      out += svg::text_element(x, y + 4, "", "\u2026");
      break;
    }
    out += fmt::format("<path {} d=\"M{} {}h22\"/>\n", styles[i].line, svg::number(x), svg::number(y));
    out += svg::text_element(x + 30, y + 4, "", svg::shortened(curves[i].name, kLegendCharacters));
    y += 20;
  }
  return out + "</svg>\n";
}

}  // namespace amae
