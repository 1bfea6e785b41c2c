#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace amae::svg {
namespace {

// Bytes of the UTF-8 character at `at`; 0 when it is not well-formed.
size_t character_bytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(at);
  const size_t count = lead < 0x80                   ? 1
                       : lead >= 0xC2 && lead < 0xE0 ? 2
                       : lead >= 0xE0 && lead < 0xF0 ? 3
                       : lead >= 0xF0 && lead < 0xF5 ? 4
                                                     : 0;
  for (size_t i = 1; i < count; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  if (lead == 0xE0 && byte(at + 1) < 0xA0) return 0;                           // overlong
  if (lead == 0xED && byte(at + 1) > 0x9F) return 0;                           // surrogates
  if (lead == 0xEF && byte(at + 1) == 0xBF && byte(at + 2) >= 0xBE) return 0;  // U+FFFE, U+FFFF: not XML characters
  if (lead == 0xF0 && byte(at + 1) < 0x90) return 0;
  if (lead == 0xF4 && byte(at + 1) > 0x8F) return 0;
  return count;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t count = character_bytes(text, at);
    const char c = text[at];
    if (count == 0 || (count == 1 && static_cast<unsigned char>(c) < 0x20) || c == 0x7F) {
      out += c == '\n' || c == '\t' ? " " : "\xEF\xBF\xBD";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(at, count);
    }
    at += std::max<size_t>(count, 1);
  }
  return out;
}

size_t length(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += std::max<size_t>(character_bytes(text, at), 1);
  return count;
}

std::string shortened(std::string_view text, size_t limit) {
  if (length(text) <= limit) return std::string(text);
  size_t at = 0;
  for (size_t i = 0; i + 1 < limit; ++i) at += std::max<size_t>(character_bytes(text, at), 1);
  return std::string(text.substr(0, at)) + "\u2026";
}

double width(std::string_view text, double font_px) {
  return 0.6 * font_px * static_cast<double>(length(text));  // 0.6 em: a wide sans such as DejaVu or Verdana
}

std::string number(double value) {
  std::string out = fmt::format("{:.2f}", value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

std::string text_element(double x, double y, const std::string& attributes, std::string_view content) {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}{}>{}</text>\n", number(x), number(y), attributes.empty() ? "" : " ",
                     attributes, escape(content));
}

std::string open(double width_px, double height_px, std::string_view title) {
  // Class names carry a prefix because a report puts several pictures into one page. Plain rules instead of custom
  // properties: many viewers and converters do not know those.
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"amae-plot\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" role=\"img\">\n<title>{2}</title>\n"
      "<style>\n"
      ".amae-plot{{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif;"
      "font-size:12px}}\n"
      ".amae-plot text{{fill:#3c4043}}\n"
      ".amae-plot .amae-strong{{fill:#202124;font-size:15px;font-weight:600}}\n"
      ".amae-plot .amae-back{{fill:#ffffff}}\n"
      ".amae-plot .amae-grid{{stroke:#e3e6ea;stroke-width:1;fill:none}}\n"
      ".amae-plot .amae-axis{{stroke:#8a9099;stroke-width:1;fill:none}}\n"
      ".amae-plot .amae-empty{{fill:#eef0f2}}\n"
      ".amae-plot .amae-line{{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}}\n"
      ".amae-plot .amae-thin{{stroke-width:1.4}}\n.amae-plot .amae-main{{stroke-width:3}}\n"
      ".amae-plot .amae-ink{{stroke:#202124}}\n.amae-plot .amae-ink-dot{{fill:#202124}}\n"
      ".amae-plot .amae-band{{fill:#202124;fill-opacity:0.15}}\n"
      "@media (prefers-color-scheme: dark){{\n"
      ".amae-plot text{{fill:#c4c9d0}}\n"
      ".amae-plot .amae-strong{{fill:#f1f3f4}}\n"
      ".amae-plot .amae-back{{fill:#17191c}}\n"
      ".amae-plot .amae-grid{{stroke:#2c3036}}\n"
      ".amae-plot .amae-axis{{stroke:#7b828b}}\n"
      ".amae-plot .amae-empty{{fill:#25292e}}\n"
      ".amae-plot .amae-ink{{stroke:#f1f3f4}}\n.amae-plot .amae-ink-dot{{fill:#f1f3f4}}\n"
      ".amae-plot .amae-band{{fill:#f1f3f4;fill-opacity:0.2}}\n"
      "}}\n</style>\n"
      "<rect class=\"amae-back\" width=\"{0}\" height=\"{1}\"/>\n",
      number(width_px), number(height_px), escape(title));
}

Ticks ticks(double low, double high, int wanted, bool whole_numbers) {
  const double rough = (high - low) / std::max(wanted, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  Ticks out;
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    out.step = factor * power;
    if (out.step >= rough * (1 - 1e-9)) break;
  }
  if (whole_numbers) out.step = std::max(out.step, 1.0);
  const double slack = 1e-9 * out.step;
  // A bounded count: sums of steps that vanish beside a huge offset must not loop for ever.
  const double first = std::ceil((low - slack) / out.step);
  for (int i = 0; i < 4 * wanted + 4; ++i) {
    const double value = (first + i) * out.step;
    if (value > high + slack) break;
    out.values.push_back(value == 0 ? 0 : value);  // no "-0"
  }
  return out;
}

std::string tick_label(double value, const Ticks& ticks) {
  double largest = 0;
  for (const double v : ticks.values) largest = std::max(largest, std::abs(v));
  const auto decimals = [](double step) { return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))); };
  if (value == 0) return "0";
  if (largest >= 1e15 || (largest < 1e-3 && largest > 0)) {
    return fmt::format("{:.{}g}", value,
                       std::clamp(1 + static_cast<int>(std::ceil(std::log10(largest / ticks.step) - 1e-9)), 1, 15));
  }
  struct Unit {
    double scale;
    const char* name;
  };
  for (const Unit unit : {Unit{1e12, "T"}, Unit{1e9, "G"}, Unit{1e6, "M"}, Unit{1e3, "k"}}) {
    if (largest >= 10 * unit.scale || (largest >= unit.scale && unit.scale > 1e3)) {
      return fmt::format("{:.{}f}{}", value / unit.scale, std::min(decimals(ticks.step / unit.scale), 9), unit.name);
    }
  }
  return fmt::format("{:.{}f}", value, std::min(decimals(ticks.step), 9));
}

}  // namespace amae::svg
