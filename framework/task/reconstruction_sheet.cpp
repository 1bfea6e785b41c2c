#include "task/reconstruction_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace amae {
namespace {

constexpr int kSheetMargin = 16, kPictureWidth = 300, kPictureHeight = 110, kPictureGap = 12, kColumns = 4;
constexpr int kTitleRoom = 30, kHeadRoom = 18, kCaptionRoom = 15, kRowHeight = kCaptionRoom + kPictureHeight + 12;
constexpr Color kSheetInk{32, 33, 36}, kSheetSoft{110, 116, 124}, kSheetBorder{170, 176, 184}, kPaper{246, 247, 248};
constexpr Color kFirstChannel{38, 96, 142}, kSecondChannel{213, 94, 0}, kHidden{160, 165, 171};

/// The lowest and highest values worth a colour: a hundredth of the values on either side may be cut off.
std::pair<double, double> value_range(const at::Tensor& values) {
  const at::Tensor sorted = std::get<0>(values.flatten().nan_to_num().sort());
  const auto last = static_cast<double>(sorted.numel() - 1);
  return {sorted[static_cast<int64_t>(0.01 * last)].item<double>(),
          sorted[static_cast<int64_t>(0.99 * last)].item<double>()};
}

class ReconstructionSheet {
 public:
  ReconstructionSheet(const std::vector<ReconstructionView>& views, const std::string& title)
      : canvas_(2 * kSheetMargin + kColumns * kPictureWidth + (kColumns - 1) * kPictureGap,
                2 * kSheetMargin + kTitleRoom + kHeadRoom + kRowHeight * static_cast<int>(views.size())) {
    canvas_.text(kSheetMargin, kSheetMargin, Canvas::fitted(title, canvas_.width() - 2 * kSheetMargin, 2), kSheetInk,
                 2);
    heads(views);
    for (size_t i = 0; i < views.size(); ++i)
      row(views[i], kSheetMargin + kTitleRoom + kHeadRoom + kRowHeight * static_cast<int>(i));
  }

  Canvas take() { return std::move(canvas_); }

 private:
  [[nodiscard]] static int left(int column) { return kSheetMargin + column * (kPictureWidth + kPictureGap); }

  void heads(const std::vector<ReconstructionView>& views) {
    const double hidden = views.empty() ? 0 : views[0].hidden.to(at::kDouble).mean().item<double>();
    const std::array<std::string, kColumns> names = {"input",
                                                     fmt::format("what the encoder saw: {:.0f} %", 100 * (1 - hidden)),
                                                     "prediction", "input, and prediction where it was hidden"};
    for (int column = 0; column < kColumns; ++column)
      canvas_.text(left(column), kSheetMargin + kTitleRoom, names[static_cast<size_t>(column)], kSheetSoft);
  }

  void row(const ReconstructionView& view, int y) {
    const std::string caption = fmt::format("{}   loss {:.4g}", view.id, view.loss);
    canvas_.text(kSheetMargin, y, Canvas::fitted(caption, canvas_.width() - 2 * kSheetMargin), kSheetInk);
    y += kCaptionRoom;
    const auto [low, high] = value_range(view.input);
    const double peak = std::max(view.input.abs().max().nan_to_num().item<double>(), 1e-9);
    const at::Tensor pasted = at::where(view.hidden, view.prediction, view.input);
    int column = 0;
    for (const at::Tensor& values : {view.input, view.input, view.prediction, pasted}) {
      const int x = left(column);
      canvas_.rect(x, y, kPictureWidth, kPictureHeight, kPaper);
      if (values.dim() == 3) {
        canvas_.spectrogram(x, y, kPictureWidth, kPictureHeight, values[0], low, high);
      } else {
        for (int64_t c = std::min<int64_t>(2, values.size(0)) - 1; c >= 0; --c)
          canvas_.waveform(x, y + 2, kPictureWidth, kPictureHeight - 4, values[c] / peak,
                           c == 0 ? kFirstChannel : kSecondChannel);
      }
      if (column == 1) hide(x, y, view.hidden.dim() == 2 ? view.hidden : view.hidden.unsqueeze(0));
      canvas_.frame(x, y, kPictureWidth, kPictureHeight, kSheetBorder);
      ++column;
    }
  }

  /// Grey over what is hidden [F, T], F = 0 at the bottom: a rectangle for each run of frames in a bin.
  void hide(int x, int y, const at::Tensor& hidden) {
    const at::Tensor flags = hidden.contiguous();
    const bool* at = flags.const_data_ptr<bool>();
    const int64_t bins = flags.size(0), frames = flags.size(1);
    const auto across = [&](int64_t frame) { return x + static_cast<int>(frame * kPictureWidth / frames); };
    const auto down = [&](int64_t bin) { return y + kPictureHeight - static_cast<int>(bin * kPictureHeight / bins); };
    for (int64_t bin = 0; bin < bins; ++bin, at += frames) {
      for (const bool* run = at; run < at + frames;) {
        const bool* begin = std::find(run, at + frames, true);
        run = std::find(begin, at + frames, false);
        const int from = across(begin - at);
        canvas_.rect(from, down(bin + 1), across(run - at) - from, down(bin) - down(bin + 1), kHidden);
      }
    }
  }

  Canvas canvas_;
};

}  // namespace

Canvas draw_reconstructions(const std::vector<ReconstructionView>& views, const std::string& title) {
  return ReconstructionSheet(views, title).take();
}

}  // namespace amae
