// Plots as SVG text: exact, small, readable without amae; light and dark backgrounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace amae {

struct Curve {
  std::string name;
  std::vector<double> x, y;  ///< NaN y leaves a gap
  bool is_main = false;      ///< drawn over the others in the page's ink, thicker and with its points; they get thin
  std::vector<double> low = {}, high = {};  ///< of a main curve: a band around it, such as an interval; empty: none
};

/// Numbers that an axis shows at least.
struct AxisRange {
  double low = 0, high = 0;
};

/// Line chart with axes, round ticks, legend; colours safe for colour blindness (Okabe-Ito). The vertical axis holds
/// the curves and `y_range` where that is not empty. Throws std::invalid_argument when sizes within a curve disagree.
std::string line_chart_svg(const std::string& title, const std::string& x_label, const std::string& y_label,
                           const std::vector<Curve>& curves, AxisRange y_range = {});

/// Confusion matrix: rows are true classes, columns predicted; cell colour is the row share (viridis), numbers are
/// counts (left out above 30 classes). Each cell has a <title> with both class names, count and share.
std::string confusion_svg(const std::string& title, const std::vector<std::string>& classes,
                          const std::vector<std::vector<int64_t>>& counts);

/// Horizontal bars, one for each of `names`, each made of `parts` side by side (viridis from the first part to the
/// last), with the sum behind it; counts [name][part] >= 0. Each piece has a <title> with both names and its count.
/// Throws std::invalid_argument when the sizes disagree.
std::string stacked_bars_svg(const std::string& title, const std::string& x_label,
                             const std::vector<std::string>& names, const std::vector<std::string>& parts,
                             const std::vector<std::vector<int64_t>>& counts);

/// Points of a map that belong together.
struct ScatterGroup {
  std::string name;
  std::vector<double> x, y;              ///< points that are not finite are left out
  std::vector<std::string> titles = {};  ///< tooltip of each point; none: the group's name
};

/// Map of groups of points, without numbers at its axes. Up to 8 groups have the colours of Okabe and Ito; more have
/// colours of several hues and lightnesses, and five shapes, so that any 60 differ. The legend holds the first 60.
/// Above 20,000 points in all, titles are left out. Throws std::invalid_argument when sizes within a group disagree.
std::string scatter_svg(const std::string& title, const std::vector<ScatterGroup>& groups);

/// The same with points coloured by a number (viridis, with a bar named `value_name`); grey where it is not finite.
/// The tooltip of a point is its title, if any, and its number. Throws std::invalid_argument when sizes disagree.
std::string scatter_svg(const std::string& title, const std::vector<double>& x, const std::vector<double>& y,
                        const std::vector<double>& values, const std::string& value_name,
                        const std::vector<std::string>& titles = {});

}  // namespace amae
