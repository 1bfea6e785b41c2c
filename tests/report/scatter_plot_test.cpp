#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "report/plots.h"

using namespace amae;

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// Whether every tag is closed in its turn; the pictures quote no '>' in attributes.
bool balanced(const std::string& svg) {
  std::vector<std::string> open;
  for (size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const size_t end = svg.find('>', at);
    if (end == std::string::npos || svg.find('<', at + 1) < end) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find_first_of(" \n/", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  return open.empty();
}

void check_sound(const std::string& svg) {
  INFO(svg.substr(0, 3000));
  CHECK(balanced(svg));
  CHECK(svg.find("\"nan") == std::string::npos);
  CHECK(svg.find("inf\"") == std::string::npos);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
}

size_t marks_in(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// Of every shape, those of the legend included; frames and bars are rectangles.
size_t markers(const std::string& svg) { return marks_in(svg, "<circle") + marks_in(svg, "<path"); }

/// Groups "class 0", "class 1", … of `each` points, on a spiral so that one sees them apart.
std::vector<ScatterGroup> groups_of(size_t groups, size_t each) {
  std::vector<ScatterGroup> out;
  for (size_t g = 0; g < groups; ++g) {
    ScatterGroup group{"class " + std::to_string(g), {}, {}};
    for (size_t i = 0; i < each; ++i) {
      const double turn = 2.4 * static_cast<double>(g), far = std::sqrt(static_cast<double>(g)),
                   own = 2.4 * static_cast<double>(i),
                   near = 0.4 * std::sqrt(static_cast<double>(i) / static_cast<double>(each));
      group.x.push_back(far * std::cos(turn) + near * std::cos(own));
      group.y.push_back(far * std::sin(turn) + near * std::sin(own));
    }
    out.push_back(group);
  }
  return out;
}

/// Pictures for eyes: set AMAE_PLOTS to a folder to get them as files.
void keep_scatter(const std::string& name, const std::string& svg) {
  if (const char* const folder = std::getenv("AMAE_PLOTS")) std::ofstream(std::string(folder) + "/" + name) << svg;
}

}  // namespace

TEST_CASE("a map has one marker a point with its title, and a legend") {
  std::vector<ScatterGroup> groups = groups_of(3, 20);
  groups[0].titles.assign(20, "dog_17.wav");
  const std::string svg = scatter_svg("Map of sounds", groups);
  keep_scatter("scatter3.svg", svg);
  check_sound(svg);
  CHECK(svg.find(">Map of sounds<") != std::string::npos);
  CHECK(marks_in(svg, "<circle") == 3 * 20 + 3);
  CHECK(marks_in(svg, "<title>dog_17.wav</title></circle>") == 20);
  CHECK(marks_in(svg, "<title>class 1</title></circle>") == 20);
  for (const ScatterGroup& group : groups) CHECK(marks_in(svg, ">" + group.name + "</text>") == 1);
  CHECK(svg.find("#0072B2") != std::string::npos);
}

TEST_CASE("sixty groups differ in colour or shape and stand in a legend of two columns") {
  const std::string svg = scatter_svg("Sixty", groups_of(60, 30));
  keep_scatter("scatter60.svg", svg);
  check_sound(svg);
  CHECK(markers(svg) == 60 * 30 + 60);
  std::set<std::string> colours, looks;
  std::set<std::string> columns;
  for (size_t at = svg.find("<g fill="); at != std::string::npos; at = svg.find("<g fill=", at + 1)) {
    const std::string colour = svg.substr(at + 9, 7);
    const size_t point = svg.find('\n', at) + 1;
    std::string shape;  // the commands of its path; none for a circle
    for (const char c : svg.substr(point, svg.find('>', point) - point)) {
      if (c == 'h' || c == 'v' || c == 'l' || c == 'z') shape += c;
    }
    colours.insert(colour);
    looks.insert(colour + shape);
  }
  CHECK(colours.size() == 36);
  CHECK(looks.size() == 60);
  for (size_t g = 0; g < 60; ++g) {
    const size_t end = svg.find(">class " + std::to_string(g) + "</text>");
    REQUIRE(end != std::string::npos);
    const size_t x = svg.rfind("x=\"", end);
    columns.insert(svg.substr(x, svg.find('"', x + 3) - x));
  }
  CHECK(columns.size() == 2);
  CHECK(svg.find(" more<") == std::string::npos);
}

TEST_CASE("groups beyond sixty are drawn and counted below the legend") {
  const std::string svg = scatter_svg("Many", groups_of(75, 2));
  keep_scatter("scatter75.svg", svg);
  check_sound(svg);
  CHECK(markers(svg) == 75 * 2 + 60);
  CHECK(svg.find(">and 15 more<") != std::string::npos);
  CHECK(svg.find(">class 59</text>") != std::string::npos);
  CHECK(svg.find(">class 60</text>") == std::string::npos);
}

TEST_CASE("above 20,000 points titles are left out and points are small") {
  const std::string full = scatter_svg("t", groups_of(2, 10'000)), large = scatter_svg("t", groups_of(2, 10'001));
  keep_scatter("scatter20002.svg", large);
  CHECK(marks_in(full, "</title></circle>") == 20'000);
  CHECK(marks_in(large, "</title></circle>") == 0);
  CHECK(markers(large) == 20'002 + 2);
  CHECK(large.size() < 50 * 20'002);
  CHECK(marks_in(large, " r=\"4.5\"") == 2);  // only in the legend
  CHECK(marks_in(scatter_svg("t", groups_of(2, 20)), " r=\"4.5\"") == 42);
}

TEST_CASE("numbers become colours with a bar, and what has none is grey") {
  std::vector<double> x, y, values;
  std::vector<std::string> titles;
  for (int i = 0; i < 200; ++i) {
    x.push_back(std::cos(0.1 * i) * i);
    y.push_back(std::sin(0.1 * i) * i);
    values.push_back(i % 20 == 5 ? kNoValue : -20 + 0.25 * i);
    titles.push_back("row " + std::to_string(i));
  }
  const std::string svg = scatter_svg("Map of signals", x, y, values, "SNR / dB", titles);
  keep_scatter("scatter_values.svg", svg);
  check_sound(svg);
  CHECK(marks_in(svg, "<circle") == 200 + 1);
  CHECK(svg.find(">SNR / dB</text>") != std::string::npos);
  CHECK(svg.find(">no value</text>") != std::string::npos);
  CHECK(svg.find("<title>row 1: -19.75</title>") != std::string::npos);
  CHECK(marks_in(svg, ": no value</title>") == 10);
  CHECK(svg.find(">-20</text>") != std::string::npos);
  CHECK(svg.find(" fill=\"#440154\"><title>row 0: ") != std::string::npos);    // viridis at 0
  CHECK(svg.find(" fill=\"#fde725\"><title>row 199: ") != std::string::npos);  // and at 1
  CHECK(scatter_svg("t", x, y, x, "x").find("no value") == std::string::npos);
}

TEST_CASE("text from outside is escaped") {
  const std::string evil = "<b>\"x\" & 'y'</b>", safe = "&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt;";
  const std::string groups = scatter_svg(evil, {{evil, {0, 1}, {0, 1}, {evil, evil}}}),
                    numbers = scatter_svg(evil, {0, 1}, {0, 1}, {0, 1}, evil, {evil, evil});
  for (const std::string& svg : {groups, numbers}) {
    check_sound(svg);
    CHECK(svg.find("<b>") == std::string::npos);
  }
  CHECK(marks_in(groups, safe) == 2 + 2 + 2);   // title twice, group and legend, two points
  CHECK(marks_in(numbers, safe) == 2 + 1 + 2);  // title twice, bar, two points
}

TEST_CASE("no points, single points and numbers out of range all give a picture") {
  for (const auto& groups : std::vector<std::vector<ScatterGroup>>{{},
                                                                   {{"", {}, {}}},
                                                                   {{"empty", {}, {}}},
                                                                   {{"one", {3}, {4}}},
                                                                   {{"same", {1, 1}, {2, 2}}},
                                                                   {{"nan", {kNoValue, 1}, {0, kNoLimit}}},
                                                                   {{"huge", {1e300, -1e300, 1e308}, {0, 1, 2}}}}) {
    check_sound(scatter_svg("t", groups));
  }
  CHECK(scatter_svg("t", {}).find("no data") != std::string::npos);
  CHECK(marks_in(scatter_svg("t", {{"some", {0, kNoValue, 2}, {0, 1, 2}}}), "<circle") == 2 + 1);
  check_sound(scatter_svg("t", {}, {}, {}, ""));
  check_sound(scatter_svg("t", {0, 1}, {0, 1}, {5, 5}, "constant"));
  check_sound(scatter_svg("t", {0, 1}, {0, 1}, {kNoValue, kNoLimit}, "none"));
  check_sound(scatter_svg("t", {0, 1}, {0, 1}, {1e300, -1e300}, "huge"));
}

TEST_CASE("sizes that disagree are refused") {
  CHECK_THROWS_AS(scatter_svg("t", {{"a", {1, 2}, {1}}}), std::invalid_argument);
  CHECK_THROWS_AS(scatter_svg("t", {{"a", {1, 2}, {1, 2}, {"only one"}}}), std::invalid_argument);
  CHECK_THROWS_AS(scatter_svg("t", {1, 2}, {1}, {1, 2}, "v"), std::invalid_argument);
  CHECK_THROWS_AS(scatter_svg("t", {1, 2}, {1, 2}, {1}, "v"), std::invalid_argument);
  CHECK_THROWS_AS(scatter_svg("t", {1, 2}, {1, 2}, {1, 2}, "v", {"only one"}), std::invalid_argument);
}
