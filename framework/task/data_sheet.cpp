// The sheet of a preview: where everything stands on it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/svg.h"
#include "task/data_preview.h"

namespace amae {
namespace {

constexpr int kMargin = 16, kPanelWidth = 340, kPanelHeight = 96, kGap = 16;
constexpr int kTitleHeight = 30, kLineHeight = 13, kCaptionHeight = 16, kTicksHeight = 14, kItemGap = 12;
constexpr int kItemHeight = kCaptionHeight + kPanelHeight + kTicksHeight + kItemGap;
constexpr Color kInk{32, 33, 36}, kSoft{110, 116, 124}, kBorder{170, 176, 184}, kGrid{226, 229, 233};
constexpr Color kWave{38, 96, 142}, kSecondWave{213, 94, 0}, kEmpty{246, 247, 248}, kAccent{0, 110, 90};

/// The lowest and highest values worth a colour: two in a hundred below and two in a thousand above may be cut off.
std::pair<double, double> color_range(const at::Tensor& plain, const at::Tensor& augmented) {
  constexpr int64_t kEnough = 200'000;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : {plain, augmented}) {
    if (!part.defined()) continue;
    const at::Tensor flat = part[0].contiguous().view({-1});
    parts.push_back(flat.slice(0, 0, flat.numel(), std::max<int64_t>(1, flat.numel() / kEnough)));
  }
  const at::Tensor all = at::cat(parts).nan_to_num();
  if (all.numel() == 0) return {0, 1};
  const at::Tensor sorted = std::get<0>(all.sort());
  const auto at_share = [&](double share) {
    return sorted[static_cast<int64_t>(share * static_cast<double>(sorted.numel() - 1))].item<double>();
  };
  return {at_share(0.02), at_share(0.998)};
}

/// `text` in lines of at most `width` pixels, cut between words.
std::vector<std::string> wrapped(const std::string& text, int width) {
  std::vector<std::string> lines = {""};
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (Canvas::text_width(longer) <= width || lines.back().empty()) {
      lines.back() = longer;
    } else {
      lines.push_back("  " + word);
    }
  }
  return lines;
}

class Sheet {
 public:
  explicit Sheet(const Preview& preview)
      : preview_(preview),
        has_features_(!preview.features.shape.empty()),
        has_augmented_(!preview.augmented.shape.empty()),
        has_signal_(std::any_of(preview.items.begin(), preview.items.end(),
                                [](const PreviewItem& item) { return item.augmented_signal.samples.defined(); })),
        is_iq_(std::any_of(preview.items.begin(), preview.items.end(),
                           [](const PreviewItem& item) { return item.original.domain == Domain::iq; })),
        columns_(1 + (has_features_ ? 1 : 0) + (has_signal_ ? 1 : 0) + (has_augmented_ ? 1 : 0)),
        width_(std::max(720, 2 * kMargin + columns_ * kPanelWidth + (columns_ - 1) * kGap)),
        lines_(told()),
        canvas_(width_, top() + kItemHeight * static_cast<int>(preview.items.size()) + kMargin) {}

  Canvas draw() {
    header();
    int y = top();
    for (const PreviewItem& item : preview_.items) {
      draw_item(item, y);
      y += kItemHeight;
    }
    return std::move(canvas_);
  }

 private:
  struct Line {
    std::string text;
    Color color;
  };

  /// What stands below the title.
  [[nodiscard]] std::vector<Line> told() const {
    std::vector<Line> lines;
    const auto add = [&](const std::string& text, Color color) {
      for (const std::string& line : wrapped(text, width_ - 2 * kMargin)) lines.push_back({line, color});
    };
    add(fmt::format("{} items, seed {}{}", preview_.items.size(), preview_.seed,
                    has_augmented_ ? fmt::format(", epoch {}", preview_.epoch) : ""),
        kSoft);
    if (!preview_.chain.empty()) add("transforms (* random): " + preview_.chain, kSoft);
    for (const std::string& note : preview_.notes) add("note: " + note, kAccent);
    return lines;
  }

  [[nodiscard]] int top() const {
    return kMargin + kTitleHeight + kLineHeight * (static_cast<int>(lines_.size()) + 2) + 2 * kItemGap;
  }
  [[nodiscard]] static int left(int column) { return kMargin + column * (kPanelWidth + kGap); }

  void header() {
    int y = kMargin;
    canvas_.text(kMargin, y, Canvas::fitted(preview_.dataset, width_ - 2 * kMargin, 2), kInk, 2);
    y += kTitleHeight;
    for (const Line& line : lines_) {
      canvas_.text(kMargin, y, Canvas::fitted(line.text, width_ - 2 * kMargin), line.color);
      y += kLineHeight;
    }
    y += kItemGap;
    int column = 0;
    const auto head = [&](const std::string& title, const std::string& below) {
      canvas_.text(left(column), y, title, kInk);
      canvas_.text(left(column), y + kLineHeight - 2, Canvas::fitted(below, kPanelWidth), kSoft);
      ++column;
    };
    const char* what = is_iq_ ? "I (blue) and Q (orange)" : "waveform";
    head(what, "as the data set gives it");
    if (has_features_) head("features", preview_.features.text());
    if (has_signal_)
      head(std::string("augmented ") + what,
           std::string("after the random transforms on ") + (is_iq_ ? "IQ" : "sound"));
    if (has_augmented_) head("augmented features", preview_.augmented.text());
  }

  void draw_item(const PreviewItem& item, int y) {
    const Signal& original = item.original;
    const double peak = loudest(original.samples), seconds = seconds_of(original.samples, original.rate_hz);
    std::string caption = item.label.empty() ? item.id : item.label + "   " + item.id;
    if (!item.facts.empty()) caption += "   " + item.facts;
    const bool in_samples = seconds <= 0 || original.domain == Domain::iq;
    caption +=
        in_samples ? fmt::format("   {} samples", original.samples.size(-1)) : fmt::format("   {:.2f} s", seconds);
    if (original.rate_hz > 0) caption += fmt::format("   {} Hz", number_text(original.rate_hz));
    caption += peak > 0 ? fmt::format("   peak {:.1f} dB", 20 * std::log10(peak)) : "   silent";
    const int plain = 1 + (has_features_ ? 1 : 0);  // columns before the augmented ones
    const int room = columns_ > plain ? left(plain) - kGap - kMargin : width_ - 2 * kMargin;
    canvas_.text(kMargin, y, Canvas::fitted(caption, room), kInk);
    if (!item.augmented_label.empty()) {
      const int x = left(plain);
      canvas_.text(x, y, Canvas::fitted("now " + item.augmented_label, width_ - x - kMargin), kAccent);
    }
    y += kCaptionHeight;
    const double scale = std::max({peak, loudest(item.augmented_signal.samples), 1e-9});
    const auto [low, high] = item.features.defined() && item.features.dim() == 3
                                 ? color_range(item.features, item.augmented)
                                 : std::pair{0.0, 1.0};
    int column = 0;
    wave(column++, y, original.samples, original.rate_hz, scale);
    if (has_features_) features(column++, y, item.features, preview_.features.rate_hz, low, high);
    if (has_signal_) wave(column++, y, item.augmented_signal.samples, item.augmented_signal.rate_hz, scale);
    if (has_augmented_) features(column++, y, item.augmented, preview_.augmented.rate_hz, low, high);
  }

  [[nodiscard]] static double loudest(const at::Tensor& samples) {
    return samples.defined() && samples.numel() > 0 ? samples.abs().max().nan_to_num().item<double>() : 0;
  }
  [[nodiscard]] static double seconds_of(const at::Tensor& values, double rate_hz) {
    return values.defined() && rate_hz > 0 ? static_cast<double>(values.size(-1)) / rate_hz : 0;
  }

  /// samples [C, N]; the first two rows (IQ, stereo) over each other.
  void wave(int column, int y, const at::Tensor& samples, double rate_hz, double scale) {
    const int x = left(column);
    canvas_.rect(x, y, kPanelWidth, kPanelHeight, kEmpty);
    canvas_.rect(x, y + kPanelHeight / 2, kPanelWidth, 1, kGrid);
    if (samples.defined()) {
      for (int64_t c = std::min<int64_t>(2, samples.size(0)) - 1; c >= 0; --c)
        canvas_.waveform(x, y + 2, kPanelWidth, kPanelHeight - 4, samples[c] / scale, c == 0 ? kWave : kSecondWave);
    }
    if (is_iq_) {
      border(x, y, samples.defined() ? static_cast<double>(samples.size(-1)) : 0, " samples");
    } else {
      border(x, y, seconds_of(samples, rate_hz), " s");
    }
  }

  /// values [C, F, T] or, for models that take the waveform, [C, N]; the first channel of a spectrogram.
  void features(int column, int y, const at::Tensor& values, double rate_hz, double low, double high) {
    if (!values.defined() || values.dim() == 2)
      return wave(column, y, values, rate_hz, std::max(loudest(values), 1e-9));
    const int x = left(column);
    canvas_.rect(x, y, kPanelWidth, kPanelHeight, kEmpty);
    if (values.dim() == 3) canvas_.spectrogram(x, y, kPanelWidth, kPanelHeight, values[0], low, high);
    border(x, y, seconds_of(values, rate_hz), " s");
  }

  /// The panel's frame, and ticks from 0 to `extent`; none where that is not known.
  void border(int x, int y, double extent, const char* unit) {
    canvas_.frame(x, y, kPanelWidth, kPanelHeight, kBorder);
    if (!(extent > 0)) return;
    const svg::Ticks ticks = svg::ticks(0, extent, 5, false);
    for (const double value : ticks.values) {
      const int at = x + static_cast<int>(std::lround(value / extent * (kPanelWidth - 1)));
      canvas_.rect(at, y + kPanelHeight, 1, 3, kBorder);
      const std::string label = svg::tick_label(value, ticks) + (value == 0 ? unit : "");
      const int width = Canvas::text_width(label);
      canvas_.text(std::clamp(at - width / 2, x, x + kPanelWidth - width), y + kPanelHeight + 5, label, kSoft);
    }
  }

  const Preview& preview_;
  bool has_features_, has_augmented_, has_signal_, is_iq_;
  int columns_, width_;
  std::vector<Line> lines_;
  Canvas canvas_;
};

}  // namespace

Canvas draw_preview(const Preview& preview) { return Sheet(preview).draw(); }

}  // namespace amae
