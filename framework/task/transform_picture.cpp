#include "task/transform_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace amae {
namespace {

constexpr int kMargin = 12, kLeft = 64, kPlotWidth = 960, kGap = 8, kWaveHeight = 120;
constexpr int64_t kMaxChannels = 4;
constexpr Color kInk{40, 40, 40}, kFrame{160, 160, 160}, kWave{33, 102, 172};

int64_t channels_of(const Panel& panel) { return std::min(kMaxChannels, panel.x.size(0)); }

/// Whole pixels a bin where that fits, so that bins stay equally high.
int strip_height(const Panel& panel) {
  if (panel.spec.domain != Domain::spectrogram) return kWaveHeight;
  const int64_t bins = std::max<int64_t>(1, panel.x.size(1));
  const int64_t each = std::clamp<int64_t>(256 / bins, 1, 16);
  return static_cast<int>(std::clamp<int64_t>(bins * each, 64, 512));
}

int title_height() { return Canvas::text_height() + 6; }

int panel_height(const Panel& panel) {
  const int strips = static_cast<int>(channels_of(panel)) * (strip_height(panel) + kGap);
  return title_height() + strips + Canvas::text_height() + 2 * kGap;
}

void text_left_of(Canvas& canvas, int x, int y, const std::string& text) {
  canvas.text(x - Canvas::text_width(text) - 4, y, text, kInk);
}

/// Seconds where the rate is known, else numbers of samples or frames.
void draw_time_axis(Canvas& canvas, const Panel& panel, int y) {
  const auto length = static_cast<double>(panel.x.size(-1));
  const bool in_seconds = panel.spec.rate_hz > 0;
  const double end = in_seconds ? length / panel.spec.rate_hz : length;
  for (int i = 0; i <= 4; ++i) {
    const std::string label = fmt::format("{:.4g}{}", end * i / 4, in_seconds ? " s" : "");
    const int x = kLeft + (kPlotWidth - 1) * i / 4;
    const int width = Canvas::text_width(label);
    canvas.text(std::clamp(x - width / 2, kLeft, kLeft + kPlotWidth - width), y + 3, label, kInk);
    canvas.line(x, y, x, y + 2, kInk);
  }
}

void draw(Canvas& canvas, const Panel& panel, int y) {
  canvas.text(kMargin, y, Canvas::fitted(panel.title, canvas.width() - 2 * kMargin), kInk);
  y += title_height();
  const int height = strip_height(panel);
  for (int64_t c = 0; c < channels_of(panel); ++c) {
    const at::Tensor values = panel.shade.apply(panel.x[c]);
    if (panel.spec.domain == Domain::spectrogram) {
      canvas.spectrogram(kLeft, y, kPlotWidth, height, values, panel.shade.low, panel.shade.high);
      text_left_of(canvas, kLeft, y, std::to_string(values.size(0) - 1));
      text_left_of(canvas, kLeft, y + height - Canvas::text_height(), "0");
    } else {
      const double edge = std::max(std::abs(panel.shade.low), std::abs(panel.shade.high));
      canvas.waveform(kLeft, y, kPlotWidth, height, values / edge, kWave);
      text_left_of(canvas, kLeft, y, fmt::format("{:.3g}", edge));
      text_left_of(canvas, kLeft, y + height - Canvas::text_height(), fmt::format("{:.3g}", -edge));
    }
    canvas.frame(kLeft - 1, y - 1, kPlotWidth + 2, height + 2, kFrame);
    y += height + kGap;
  }
  draw_time_axis(canvas, panel, y - kGap + 1);
}

}  // namespace

Shade Shade::over(const std::vector<at::Tensor>& values, Domain domain) {
  std::vector<at::Tensor> finite;
  for (const at::Tensor& x : values) finite.push_back(x.masked_select(at::isfinite(x)).to(at::kDouble));
  const at::Tensor all = at::cat(finite);
  Shade shade;
  if (all.numel() == 0) return shade;
  shade.low = all.min().item<double>();
  shade.high = all.max().item<double>();
  // Energies: never negative, and most of them tiny beside the peak.
  shade.in_decibels =
      domain == Domain::spectrogram && shade.low >= 0 && all.median().item<double>() < 0.01 * shade.high;
  if (shade.in_decibels) {
    shade.high = 10 * std::log10(shade.high);
    shade.low = shade.high - 80;
  } else if (shade.low == shade.high) {
    shade.low -= 0.5;
    shade.high += 0.5;
  }
  return shade;
}

at::Tensor Shade::apply(const at::Tensor& values) const {
  const at::Tensor x =
      in_decibels ? values.to(at::kDouble).clamp_min(std::pow(10.0, low / 10)).log10().mul(10) : values.to(at::kDouble);
  return x.nan_to_num(low, high, low).to(at::kFloat).contiguous();
}

std::string Shade::text() const { return fmt::format("{:.4g} to {:.4g}{}", low, high, in_decibels ? " dB" : ""); }

Canvas picture_of(const std::vector<Panel>& panels) {
  int height = kMargin;
  for (const Panel& panel : panels) height += panel_height(panel);
  Canvas canvas(kLeft + kPlotWidth + kMargin, height);
  int y = kMargin;
  for (const Panel& panel : panels) {
    draw(canvas, panel, y);
    y += panel_height(panel);
  }
  return canvas;
}

}  // namespace amae
