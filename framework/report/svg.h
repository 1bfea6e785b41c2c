// What the plots share: escaped text, colours for light and dark pages, and a guess of how wide text will be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amae::svg {

/// Text for element content and attributes: markup characters escaped; what XML forbids (control characters, bytes that
/// are not UTF-8) becomes U+FFFD.
std::string escape(std::string_view text);

/// Number of characters (not bytes).
size_t length(std::string_view text);

/// At most `limit` characters; longer text ends in an ellipsis.
std::string shortened(std::string_view text, size_t limit);

/// Width in pixels that a sans-serif font of `font_px` needs, on the safe side: no font is measured.
double width(std::string_view text, double font_px);

/// A coordinate: at most two decimals, no trailing zeros, never "-0".
std::string number(double value);

/// <text> with escaped content; `attributes` go in as they are.
std::string text_element(double x, double y, const std::string& attributes, std::string_view content);

/// <svg ...>, an accessible <title>, the style sheet and the background of a picture of this size.
std::string open(double width, double height, std::string_view title);

/// Round numbers (1, 2 or 5 times a power of ten apart), about `wanted` of them, all within [low, high].
struct Ticks {
  double step = 1;
  std::vector<double> values;
};
Ticks ticks(double low, double high, int wanted, bool whole_numbers);

/// Labels of ticks: as many decimals as the step needs; thousands as "20k", "1.5M".
std::string tick_label(double value, const Ticks& ticks);

}  // namespace amae::svg
