#include "report/plots.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "report/svg.h"

using namespace amae;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Scans XML without a parser: tags balance, attributes are quoted, every & begins a known entity, no stray < or
/// control character. Returns what is wrong, or empty.
std::string xml_fault(const std::string& text) {
  std::vector<std::string> open;
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20 && text[i] != '\n')
      return "control character at " + std::to_string(i);
    if (text[i] == '&') {
      const std::string entity = text.substr(i, text.find(';', i) - i + 1);
      if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;" && entity != "&#39;") {
        return "entity " + entity;
      }
    }
    if (text[i] != '<') continue;
    size_t end = i + 1;
    bool quoted = false;
    for (; end < text.size() && (quoted || text[end] != '>'); ++end) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return "< within a tag at " + std::to_string(end);
    }
    if (end == text.size()) return "tag without end";
    const std::string tag = text.substr(i + 1, end - i - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n/", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return "unbalanced <" + tag + ">";
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    i = end;
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

bool well_formed(const std::string& svg) {
  INFO(svg.substr(0, 300));
  CHECK(xml_fault(svg) == "");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  return true;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

double attribute(const std::string& svg, const std::string& name) {
  const size_t at = svg.find(" " + name + "=\"");
  REQUIRE(at != std::string::npos);
  return std::atof(svg.c_str() + at + name.size() + 3);
}

/// Pictures for eyes: set AMAE_PLOTS to a folder to get them as files.
void keep(const std::string& name, const std::string& svg) {
  if (const char* const folder = std::getenv("AMAE_PLOTS")) std::ofstream(std::string(folder) + "/" + name) << svg;
}

}  // namespace

TEST_CASE("the scanner of these tests sees broken XML") {
  CHECK(xml_fault("<a><b/></a>").empty());
  CHECK_FALSE(xml_fault("<a><b></a></b>").empty());
  CHECK_FALSE(xml_fault("<a>").empty());
  CHECK_FALSE(xml_fault("<a>x & y</a>").empty());
  CHECK_FALSE(xml_fault("<a b=\"<\"/>").empty());
}

TEST_CASE("a line chart has its title, axes, ticks, legend and one path a curve") {
  std::vector<double> x, loss, accuracy;
  for (int epoch = 0; epoch < 60; ++epoch) {
    x.push_back(epoch);
    loss.push_back(2.3 * std::exp(-epoch / 15.0) + 0.1 + 0.05 * std::sin(epoch * 2.0));
    accuracy.push_back(epoch % 5 == 0 ? 2.1 * std::exp(-epoch / 18.0) + 0.35 : kNan);
  }
  for (size_t i = 20; i < 25; ++i) loss[i] = kNan;
  const std::string svg =
      line_chart_svg("Loss of fold 1", "epoch", "cross entropy", {{"train", x, loss}, {"validation", x, accuracy}});
  keep("loss.svg", svg);
  well_formed(svg);
  for (const char* text :
       {">Loss of fold 1<", ">epoch<", ">cross entropy<", ">train<", ">validation<", ">0<", ">10<", ">50<", ">2.5<"}) {
    INFO(text);
    CHECK(svg.find(text) != std::string::npos);
  }
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(svg.find("#0072B2") != std::string::npos);
}

TEST_CASE("a NaN leaves a gap, and a lone point is a dot") {
  const std::string gap = line_chart_svg("t", "", "", {{"", {0, 1, 2, 3, 4}, {1, 2, kNan, 4, 5}}});
  well_formed(gap);
  const size_t path = gap.find("<path class=\"amae-line\"");
  REQUIRE(path != std::string::npos);
  const std::string d = gap.substr(gap.find(" d=\"", path), gap.find("/>", path) - gap.find(" d=\"", path));
  CHECK(count(d, "M") == 2);
  CHECK(count(d, "L") == 2);
  CHECK(count(gap, "<circle") == 0);

  const std::string dot = line_chart_svg("t", "", "", {{"one", {3}, {0.25}}, {"two", {0, 1, 2}, {1, kInfinity, 2}}});
  keep("dot.svg", dot);
  well_formed(dot);
  CHECK(count(dot, "<circle") == 3);
}

TEST_CASE("no curves, empty curves, constants and extremes all give a picture") {
  for (const auto& curves : std::vector<std::vector<Curve>>{{},
                                                            {{"empty", {}, {}}},
                                                            {{"nan", {0, 1}, {kNan, kNan}}},
                                                            {{"constant", {0, 1}, {0, 0}}},
                                                            {{"huge", {0, 1}, {1e308, -1e308}}},
                                                            {{"wide", {-1e299, 1e299}, {1e-300, 2e-300}}},
                                                            {{"offset", {0, 1}, {1e9, 1e9 + 1e-6}}},
                                                            {{"same x", {5, 5}, {0, 1}}},
                                                            {{"nan x", {kNan, 1}, {0, 1}}}}) {
    INFO((curves.empty() ? "none" : curves[0].name));
    const std::string svg = line_chart_svg("t", "x", "y", curves);
    INFO(svg);
    CHECK(xml_fault(svg) == "");
    CHECK(svg.find("nan\"") == std::string::npos);
    CHECK(svg.find("inf\"") == std::string::npos);
    CHECK(svg.size() < 20'000);
  }
  CHECK(line_chart_svg("t", "x", "y", {}).find("no data") != std::string::npos);
  CHECK_THROWS_AS(line_chart_svg("t", "x", "y", {{"a", {1, 2}, {1}}}), std::invalid_argument);
}

TEST_CASE("a hundred thousand points become a small picture that keeps its spikes") {
  Curve curve{"loss", {}, {}};
  for (int i = 0; i < 100'000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i == 54'321 ? 10.0 : std::sin(i / 5000.0));
  }
  const std::string svg = line_chart_svg("long", "step", "loss", {curve});
  keep("long.svg", svg);
  well_formed(svg);
  CHECK(svg.size() < 60'000);
  CHECK(svg.find(" 48L") != std::string::npos);  // the spike reaches the top tick, y = 48
  CHECK(svg.find(">20k<") != std::string::npos);
}

TEST_CASE("many curves keep distinct colours or dashes, and a legend that fits") {
  std::vector<Curve> curves;
  for (int c = 0; c < 20; ++c) {
    Curve curve{"fold " + std::to_string(c) + (c == 3 ? " with a rather long name that goes on and on" : ""), {}, {}};
    for (int i = 0; i < 30; ++i) {
      curve.x.push_back(i);
      curve.y.push_back(std::log(1 + i) * (1 + 0.1 * c));
    }
    curves.push_back(curve);
  }
  const std::string svg = line_chart_svg("Twenty folds", "epoch", "accuracy / %", curves);
  keep("many.svg", svg);
  well_formed(svg);
  CHECK(svg.find("stroke-dasharray") != std::string::npos);
  CHECK(attribute(svg, "height") >= 48 + 20 * 20);
}

TEST_CASE("a main curve lies over the others with its points and a band, and its chart can hold more than the data") {
  Curve all{"all", {0, 1, 2, 3}, {0.2, 0.4, kNan, 0.6}, true, {0.1, 0.3, kNan, 0.5}, {0.3, 0.5, kNan, 0.7}};
  const Curve one{"one", {0, 1, 2, 3}, {0.3, 0.3, 0.3, 0.3}};
  const std::string svg = line_chart_svg("t", "x", "y", {all, one}, {0, 1});
  keep("main.svg", svg);
  well_formed(svg);
  CHECK(svg.find("<title>one</title>") < svg.find("<title>all</title>"));
  CHECK(count(svg, "<circle") == 3);
  CHECK(count(svg, "class=\"amae-band\"") == 1);  // of the piece of two points; a single one has no area
  CHECK(svg.find("class=\"amae-line amae-thin\" stroke=\"#0072B2\"") != std::string::npos);
  CHECK(svg.find(">1.0<") != std::string::npos);
  CHECK(line_chart_svg("t", "x", "y", {all, one}).find(">1.0<") == std::string::npos);
  all.low.pop_back();
  CHECK_THROWS_AS(line_chart_svg("t", "x", "y", {all}), std::invalid_argument);
}

TEST_CASE("text from outside is escaped everywhere") {
  const std::string evil = "<script>alert('x') & \"y\"</script>";
  for (const std::string& svg :
       {line_chart_svg(evil, evil, evil, {{evil, {0, 1}, {0, 1}}}), confusion_svg(evil,
                                                                                  {evil,
                                                                                   "b\x01\xFF"
                                                                                   "c"},
                                                                                  {{1, 2}, {3, 4}})}) {
    well_formed(svg);
    CHECK(svg.find("<script") == std::string::npos);
    CHECK(svg.find("&lt;script&gt;alert(&#39;x&#39;) &amp; &quot;y&quot;&lt;/scr") != std::string::npos);
  }
  CHECK(svg::escape("a\x01"
                    "b\xFF"
                    "c\xED\xA0\x80") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(svg::escape("h\xC3\xBCgel \xF0\x9F\x90\xB6") == "h\xC3\xBCgel \xF0\x9F\x90\xB6");
}

TEST_CASE("ticks are 1, 2 or 5 times a power of ten apart and within the range") {
  const auto labels = [](double low, double high, bool whole = false) {
    const auto ticks = svg::ticks(low, high, 6, whole);
    std::string out;
    for (const double v : ticks.values) out += svg::tick_label(v, ticks) + " ";
    return out;
  };
  CHECK(labels(0, 1) == "0 0.2 0.4 0.6 0.8 1.0 ");
  CHECK(labels(0, 0.05) == "0 0.01 0.02 0.03 0.04 0.05 ");
  CHECK(labels(-3, 3) == "-3 -2 -1 0 1 2 3 ");
  CHECK(labels(0, 2, true) == "0 1 2 ");
  CHECK(labels(0, 50'000) == "0 10k 20k 30k 40k 50k ");
  CHECK(labels(0, 3e6) == "0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M ");
  CHECK(labels(0, 5e-5) == "0 1e-05 2e-05 3e-05 4e-05 5e-05 ");
  CHECK(labels(2000, 2600) == "2000 2100 2200 2300 2400 2500 2600 ");
}

TEST_CASE("a confusion matrix has a labelled cell with count and share for every pair") {
  const std::vector<std::string> classes = {"dog",         "rooster",  "rain",       "sea_waves",  "crackling_fire",
                                            "crying_baby", "sneezing", "clock_tick", "helicopter", "chainsaw"};
  std::vector<std::vector<int64_t>> counts(10, std::vector<int64_t>(10, 0));
  for (size_t i = 0; i < 10; ++i) {
    counts[i][i] = 40 - static_cast<int64_t>(i * 3);
    counts[i][(i + 3) % 10] += static_cast<int64_t>(i * 3);
  }
  counts[9] = std::vector<int64_t>(10, 0);
  const std::string svg = confusion_svg("ESC-10, fold 1", classes, counts);
  keep("confusion10.svg", svg);
  well_formed(svg);
  CHECK(count(svg, "<title>true ") == 100);
  CHECK(svg.find("<title>true dog, predicted dog: 40 (100.0%)</title>") != std::string::npos);
  CHECK(svg.find("<title>true rain, predicted crying_baby: 6 (15.0%)</title>") != std::string::npos);
  CHECK(svg.find("#fde725") != std::string::npos);                         // viridis at 1
  CHECK(count(svg, "class=\"amae-empty\"") == 10);                         // no share without a true item
  CHECK(svg.find("fill:#000;font-size:12px\">40<") != std::string::npos);  // dark on yellow
  CHECK(svg.find("fill:#fff;font-size:12px\">6<") != std::string::npos);   // light on violet
  CHECK(count(svg, "rotate(-45 ") == 10);
}

TEST_CASE("a confusion matrix grows with its classes and labels, and drops the numbers above thirty") {
  const auto square = [](size_t k, const std::string& name) {
    std::vector<std::string> classes;
    std::vector<std::vector<int64_t>> counts(k, std::vector<int64_t>(k, 0));
    for (size_t i = 0; i < k; ++i) {
      classes.push_back(name + std::to_string(i));
      counts[i][i] = 1'000'000;
      counts[i][(i * 7 + 3) % k] += 12'345;
    }
    const std::string svg = confusion_svg("t", classes, counts);
    keep("confusion" + std::to_string(k) + name.substr(0, 1) + ".svg", svg);
    well_formed(svg);
    return svg;
  };
  const std::string two = square(2, "c"), thirty = square(30, "c"), wordy = square(30, "a_much_longer_name_"),
                    fifty = square(50, "class_");
  square(11, "c");
  CHECK(attribute(thirty, "width") > attribute(two, "width"));
  CHECK(attribute(wordy, "width") > attribute(thirty, "width"));
  CHECK(attribute(wordy, "height") > attribute(thirty, "height"));
  CHECK(thirty.find(">12345</text>") != std::string::npos);
  CHECK(fifty.find(">12345</text>") == std::string::npos);
  CHECK(count(fifty, "<title>true ") == 2500);
}

TEST_CASE("odd confusion matrices are drawn or refused, never half drawn") {
  well_formed(confusion_svg("none", {}, {}));
  well_formed(confusion_svg("one", {"only"}, {{0}}));
  CHECK_THROWS_AS(confusion_svg("t", {"a", "b"}, {{1, 2}}), std::invalid_argument);
  CHECK_THROWS_AS(confusion_svg("t", {"a", "b"}, {{1, 2}, {3}}), std::invalid_argument);
}
