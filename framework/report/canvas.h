// Pictures made of pixels: sheets of waveforms and spectrograms, as PNG. Plots of curves are SVG (report/svg.h).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "report/color_map.h"

namespace amae {

/// Coordinates are pixels from the upper left corner; what lies outside is cut off.
class Canvas {
 public:
  /// Throws std::invalid_argument beyond 1 to 30,000 pixels a side.
  Canvas(int width, int height, Color background = {255, 255, 255});

  [[nodiscard]] int width() const;
  [[nodiscard]] int height() const;

  void rect(int x, int y, int width, int height, Color color);         ///< filled
  void frame(int x, int y, int width, int height, Color color);        ///< its border, one pixel
  void line(double x0, double y0, double x1, double y1, Color color);  ///< one pixel wide, smoothed

  /// Built-in letters (printable ASCII; any other character shows as one "?"); (x, y) is the upper left corner.
  void text(int x, int y, std::string_view text, Color color = {}, int scale = 1);
  [[nodiscard]] static int text_width(std::string_view text, int scale = 1);
  [[nodiscard]] static int text_height(int scale = 1);
  /// `text`, cut at its end with "..." where it is wider than `width`.
  [[nodiscard]] static std::string fitted(std::string_view text, int width, int scale = 1);

  /// samples [N]: lowest and highest value of each pixel column; -1 at the bottom, 1 at the top, beyond that the edge.
  /// Samples that are not finite are left out.
  void waveform(int x, int y, int width, int height, const at::Tensor& samples, Color color);

  /// values [F, T], F = 0 at the bottom; low..high runs through the colour map viridis. Each pixel is the mean of what
  /// it covers, so that a small picture hides nothing and a large one shows bins as they are. NaN counts as `low`.
  void spectrogram(int x, int y, int width, int height, const at::Tensor& values, double low, double high);

  [[nodiscard]] at::Tensor rgb() const;  ///< [H, W, 3] uint8
  void save(const std::filesystem::path& path) const;

 private:
  void blend(int x, int y, Color color, double share);

  at::Tensor pixels_;  // [H, W, 3] uint8
};

}  // namespace amae
