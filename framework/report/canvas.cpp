#include "report/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/text.h"
#include "io/png.h"
#include "report/font.h"

namespace amae {
namespace {

/// Each character that the built-in letters lack, whatever its bytes, as one "?".
std::string as_letters(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = std::max<size_t>(1, utf8_length(text));
    out += bytes == 1 && text[0] >= ' ' && text[0] <= '~' ? text[0] : '?';
    text.remove_prefix(bytes);
  }
  return out;
}

/// Weights [pixels, bins] of a mean over what each pixel covers of `bins` equal cells.
at::Tensor coverage(int64_t pixels, int64_t bins) {
  at::Tensor weights = at::zeros({pixels, bins}, at::kFloat);
  auto* row = weights.mutable_data_ptr<float>();
  const double step = static_cast<double>(bins) / static_cast<double>(pixels);
  for (int64_t p = 0; p < pixels; ++p, row += bins) {
    const double begin = step * static_cast<double>(p), end = begin + step;
    for (auto bin = static_cast<int64_t>(begin); bin < bins && static_cast<double>(bin) < end; ++bin) {
      const double from = std::max(begin, static_cast<double>(bin)), to = std::min(end, static_cast<double>(bin) + 1);
      row[bin] = static_cast<float>(std::max(0.0, to - from) / step);
    }
  }
  return weights;
}

}  // namespace

Canvas::Canvas(int width, int height, Color background) {
  constexpr int kMaxSide = 30'000;
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    throw std::invalid_argument(fmt::format("a canvas of {} x {} pixels, expected 1 to {}", width, height, kMaxSide));
  }
  pixels_ = at::empty({height, width, 3}, at::kByte);
  rect(0, 0, width, height, background);
}

int Canvas::width() const { return static_cast<int>(pixels_.size(1)); }

int Canvas::height() const { return static_cast<int>(pixels_.size(0)); }

void Canvas::blend(int x, int y, Color color, double share) {
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  uint8_t* pixel = pixels_.mutable_data_ptr<uint8_t>() + 3 * (static_cast<int64_t>(y) * width() + x);
  const uint8_t wanted[] = {color.red, color.green, color.blue};
  for (int i = 0; i < 3; ++i) pixel[i] = static_cast<uint8_t>(std::lround(pixel[i] + share * (wanted[i] - pixel[i])));
}

void Canvas::rect(int x, int y, int w, int h, Color color) {
  for (int row = std::max(0, y); row < std::min(y + h, height()); ++row) {
    for (int column = std::max(0, x); column < std::min(x + w, width()); ++column) blend(column, row, color, 1);
  }
}

void Canvas::frame(int x, int y, int w, int h, Color color) {
  rect(x, y, w, 1, color);
  rect(x, y + h - 1, w, 1, color);
  rect(x, y, 1, h, color);
  rect(x + w - 1, y, 1, h, color);
}

void Canvas::line(double x0, double y0, double x1, double y1, Color color) {
  // One step a pixel along the longer side; across it, two pixels share the ink.
  const bool steep = std::abs(y1 - y0) > std::abs(x1 - x0);
  if (steep) std::swap(x0, y0), std::swap(x1, y1);
  if (x0 > x1) std::swap(x0, x1), std::swap(y0, y1);
  const double limit = 2.0 * std::max(width(), height());  // far ends cost nothing
  if (!(std::abs(x0) < 1e9 && std::abs(x1) < 1e9 && std::abs(y0) < 1e9 && std::abs(y1) < 1e9)) return;
  const double slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
  const auto begin = static_cast<int>(std::lround(std::max(x0, -1.0)));
  const auto end = static_cast<int>(std::lround(std::min(x1, limit)));
  for (int x = begin; x <= end; ++x) {
    const double y = y0 + slope * (std::clamp(static_cast<double>(x), x0, x1) - x0);
    const double floor = std::floor(y), part = y - floor;
    const auto low = static_cast<int>(std::clamp(floor, -2.0, limit));
    steep ? blend(low, x, color, 1 - part) : blend(x, low, color, 1 - part);
    if (part > 0) steep ? blend(low + 1, x, color, part) : blend(x, low + 1, color, part);
  }
}

void Canvas::text(int x, int y, std::string_view text, Color color, int scale) {
  for (const char letter : as_letters(text)) {
    for (int row = 0; row < font::kHeight; ++row) {
      for (int column = 0; column < font::kWidth; ++column) {
        if (font::pixel(letter, column, row)) rect(x + column * scale, y + row * scale, scale, scale, color);
      }
    }
    x += font::kAdvance * scale;
  }
}

int Canvas::text_width(std::string_view text, int scale) {
  const auto letters = static_cast<int>(as_letters(text).size());
  return letters == 0 ? 0 : (letters * font::kAdvance - (font::kAdvance - font::kWidth)) * scale;
}

int Canvas::text_height(int scale) { return font::kHeight * scale; }

std::string Canvas::fitted(std::string_view text, int width, int scale) {
  std::string letters = as_letters(text);
  if (text_width(letters, scale) <= width) return letters;
  while (!letters.empty() && text_width(letters + "...", scale) > width) letters.pop_back();
  return letters + "...";
}

void Canvas::waveform(int x, int y, int w, int h, const at::Tensor& samples, Color color) {
  const at::Tensor values = samples.to(at::kFloat).contiguous().view({-1});
  const int64_t n = values.numel();
  const float* value = values.const_data_ptr<float>();
  const auto row_of = [&](float v) {
    return static_cast<float>(y) + (1 - std::clamp(v, -1.0F, 1.0F)) / 2 * static_cast<float>(h - 1);
  };
  float last = std::numeric_limits<float>::quiet_NaN();  // a column begins where the one before it ended
  for (int column = 0; column < w && n > 0; ++column) {
    const int64_t begin = n * column / w, end = std::max(begin + 1, n * (column + 1) / w);
    float low = last, high = last;
    for (int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(value[i])) continue;
      low = std::isnan(low) ? value[i] : std::min(low, value[i]);
      high = std::isnan(high) ? value[i] : std::max(high, value[i]);
      last = value[i];
    }
    if (std::isnan(low)) continue;
    const auto top = static_cast<int>(std::lround(row_of(high))), bottom = static_cast<int>(std::lround(row_of(low)));
    rect(x + column, top, 1, bottom - top + 1, color);
  }
}

void Canvas::spectrogram(int x, int y, int w, int h, const at::Tensor& values, double low, double high) {
  if (values.numel() == 0 || w < 1 || h < 1) return;
  const at::NoGradGuard no_grad;
  const double span = high > low ? high - low : 1;
  at::Tensor shares = at::nan_to_num((values.to(at::kFloat) - low) / span, 0, 1, 0).clamp(0, 1);
  // Weights of every pixel for every frame would take gigabytes for hours of sound: those are first averaged in steps.
  const int64_t steps = int64_t{16} * w;
  if (shares.size(1) > steps) shares = at::adaptive_avg_pool1d(shares.unsqueeze(0), steps).squeeze(0);
  const at::Tensor picture =
      at::matmul(at::matmul(coverage(h, shares.size(0)), shares), coverage(w, shares.size(1)).t()).contiguous();
  const float* share = picture.const_data_ptr<float>();
  for (int row = 0; row < h; ++row) {
    for (int column = 0; column < w; ++column, ++share) {
      blend(x + column, y + h - 1 - row, viridis(static_cast<double>(*share)), 1);
    }
  }
}

at::Tensor Canvas::rgb() const { return pixels_.clone(); }

void Canvas::save(const std::filesystem::path& path) const { write_png(path, pixels_); }

}  // namespace amae
