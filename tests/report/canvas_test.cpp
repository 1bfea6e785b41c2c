#include "report/canvas.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>

#include "report/font.h"

using namespace amae;

namespace {

constexpr Color kRed{255, 0, 0}, kWhite{255, 255, 255};

std::string pixel(const Canvas& canvas, int x, int y) {
  const at::Tensor p = canvas.rgb()[y][x].to(at::kInt);
  const auto value = [&](int i) { return std::to_string(p[i].item<int>()); };
  return value(0) + "," + value(1) + "," + value(2);
}

/// Number of pixels that are not the white background.
int64_t inked(const Canvas& canvas) { return canvas.rgb().ne(255).any(2).sum().item<int64_t>(); }

/// The pictures for eyes: set AMAE_PLOTS to a folder to get them as files.
void keep(const std::string& name, const Canvas& canvas) {
  if (const char* const folder = std::getenv("AMAE_PLOTS")) canvas.save(std::string(folder) + "/" + name);
}

}  // namespace

TEST_CASE("rectangles, frames and lines stand where they were put and are cut at the edge") {
  Canvas canvas(20, 10);
  canvas.rect(2, 3, 4, 2, kRed);
  CHECK(inked(canvas) == 8);
  CHECK(pixel(canvas, 2, 3) == "255,0,0");
  CHECK(pixel(canvas, 5, 4) == "255,0,0");
  CHECK(pixel(canvas, 6, 4) == "255,255,255");
  canvas.rect(18, 8, 100, 100, kRed);
  CHECK(inked(canvas) == 8 + 4);
  canvas.rect(-5, -5, 5, 5, kRed);
  CHECK(inked(canvas) == 8 + 4);

  Canvas framed(20, 10);
  framed.frame(1, 1, 6, 5, kRed);
  CHECK(inked(framed) == 2 * 6 + 2 * 3);

  Canvas lines(20, 10);
  lines.line(0, 4, 19, 4, kRed);
  CHECK(inked(lines) == 20);
  lines.line(7, -50, 7, 50, kRed);
  CHECK(inked(lines) == 20 + 9);
  lines.line(0, 0, std::numeric_limits<double>::infinity(), 1, kRed);
  lines.line(std::numeric_limits<double>::quiet_NaN(), 0, 1, 1, kRed);
  CHECK(inked(lines) == 20 + 9);
}

TEST_CASE("a slanted line is smoothed: each column holds one pixel of ink, shared by two") {
  Canvas canvas(30, 20);
  canvas.line(2, 3, 27, 13.5, {0, 0, 0});
  const at::Tensor ink = (255 - canvas.rgb().select(2, 0).to(at::kDouble)) / 255;
  for (int x = 2; x <= 27; ++x) {
    const double sum = ink.select(1, x).sum().item<double>();
    CHECK(std::abs(sum - 1) < 0.01);  // two shares rounded to 1/255 each
  }
  CHECK(ink.select(1, 28).sum().item<double>() == 0);
}

TEST_CASE("every printable letter has a shape of its own, and other characters show as one question mark") {
  std::vector<std::string> shapes;
  for (char c = '!'; c <= '~'; ++c) {
    Canvas canvas(5, 9);
    canvas.text(0, 0, std::string(1, c));
    INFO(c);
    CHECK(inked(canvas) > 0);
    const at::Tensor p = canvas.rgb().contiguous();
    shapes.emplace_back(reinterpret_cast<const char*>(p.const_data_ptr<uint8_t>()), static_cast<size_t>(p.numel()));
  }
  std::sort(shapes.begin(), shapes.end());
  CHECK(std::unique(shapes.begin(), shapes.end()) == shapes.end());

  const auto drawn = [](const std::string& text) {
    Canvas canvas(60, 9);
    canvas.text(0, 0, text);
    return canvas.rgb();
  };
  CHECK(drawn("h\xC3\xBCgel").equal(drawn("h?gel")));
  CHECK(drawn("a\x01\xFF").equal(drawn("a??")));
  CHECK_FALSE(drawn("A").equal(drawn("B")));
  CHECK(Canvas::text_width("h\xC3\xBCgel") == 5 * 6 - 1);
  CHECK(Canvas::text_width("") == 0);
  CHECK(Canvas::text_width("ab", 3) == 3 * Canvas::text_width("ab"));
  CHECK(Canvas::text_height(2) == 2 * font::kHeight);
}

TEST_CASE("text that is too wide is cut with dots behind it") {
  CHECK(Canvas::fitted("short", 100) == "short");
  const std::string cut = Canvas::fitted("a rather long title that goes on", 100);
  CHECK(cut.ends_with("..."));
  CHECK(Canvas::text_width(cut) <= 100);
  CHECK(Canvas::text_width(cut) > 100 - 6);
}

TEST_CASE("a waveform reaches from its lowest to its highest sample in every column") {
  Canvas canvas(100, 41);
  at::Tensor samples = at::zeros({10'000});
  samples[5'050] = 1.0;   // column 50
  samples[7'070] = -1.0;  // column 70
  samples[200] = std::numeric_limits<float>::quiet_NaN();
  canvas.waveform(0, 0, 100, 41, samples, kRed);
  CHECK(pixel(canvas, 50, 0) == "255,0,0");
  CHECK(pixel(canvas, 50, 40) == "255,255,255");
  CHECK(pixel(canvas, 70, 40) == "255,0,0");
  CHECK(pixel(canvas, 70, 0) == "255,255,255");
  for (const int x : {0, 2, 30, 99}) CHECK(pixel(canvas, x, 20) == "255,0,0");
  CHECK(inked(canvas) == 100 + 20 + 20);

  Canvas few(100, 41);
  few.waveform(0, 0, 100, 41, at::tensor({-1.0F, 1.0F}), kRed);  // fewer samples than columns: one unbroken line
  CHECK(pixel(few, 10, 40) == "255,0,0");
  CHECK(pixel(few, 90, 0) == "255,0,0");
  CHECK(pixel(few, 50, 20) == "255,0,0");
  Canvas none(10, 10);
  none.waveform(0, 0, 10, 10, at::zeros({0}), kRed);
  CHECK(inked(none) == 0);
}

TEST_CASE("a spectrogram has its lowest bin at the bottom, and each pixel is the mean of what it covers") {
  const at::Tensor values = at::tensor({0.0F, 1.0F, 0.0F, 0.0F}).view({2, 2});  // F 0: 0, 1; F 1: 0, 0
  Canvas canvas(8, 8);
  canvas.spectrogram(0, 0, 8, 8, values, 0, 1);
  const std::string low = "68,1,84", high = "253,231,37";  // ends of viridis
  CHECK(pixel(canvas, 0, 7) == low);
  CHECK(pixel(canvas, 3, 7) == low);
  CHECK(pixel(canvas, 4, 7) == high);
  CHECK(pixel(canvas, 7, 4) == high);
  CHECK(pixel(canvas, 7, 3) == low);

  Canvas small(1, 1);
  small.spectrogram(0, 0, 1, 1, values * 4, 0, 2);  // clamped to 1 first, then a quarter of it
  const Color quarter = viridis(0.25);
  CHECK(pixel(small, 0, 0) ==
        std::to_string(quarter.red) + "," + std::to_string(quarter.green) + "," + std::to_string(quarter.blue));

  at::Tensor odd = at::full({3, 5}, std::numeric_limits<float>::quiet_NaN());
  odd[0][0] = std::numeric_limits<float>::infinity();
  odd[1][1] = -std::numeric_limits<float>::infinity();
  Canvas strange(7, 5);
  strange.spectrogram(0, 0, 7, 5, odd, -1, 1);
  CHECK(pixel(strange, 0, 4) == high);
  CHECK(pixel(strange, 6, 0) == low);
  strange.spectrogram(0, 0, 7, 5, at::ones({2, 2}), 3, 3);  // no range is no crash
}

TEST_CASE("viridis runs from violet to yellow and never gets darker") {
  double before = -1;
  for (int i = 0; i <= 100; ++i) {
    const Color c = viridis(i / 100.0);
    const double luminance = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
    CHECK(luminance > before);
    before = luminance;
  }
  CHECK(viridis(std::numeric_limits<double>::quiet_NaN()).red == 68);
  CHECK(viridis(7).red == 253);
  CHECK(viridis(-7).red == 68);
}

TEST_CASE("a sheet for eyes: letters, a chirp, its picture") {
  Canvas canvas(640, 300);
  canvas.text(10, 10, "Quartz glyph job vext cwm finks: 0123456789", {}, 2);
  canvas.text(10, 36, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz");
  const at::Tensor t = at::arange(16'000) / 16'000.0;
  canvas.waveform(10, 60, 300, 100, (t * t * 400).sin() * (1 - t), {38, 96, 142});
  canvas.frame(10, 60, 300, 100, {170, 176, 184});
  const at::Tensor f = at::arange(64).view({64, 1}) / 64.0, n = at::arange(200).view({1, 200}) / 200.0;
  canvas.spectrogram(330, 60, 300, 100, (-(f - n).square() * 200).exp(), 0, 1);
  for (int i = 0; i < 12; ++i)
    canvas.line(100, 230, 100 + 80 * std::cos(i * 0.5), 230 + 55 * std::sin(i * 0.5), {0, 0, 0});
  keep("canvas.png", canvas);
  CHECK(inked(canvas) > 10'000);
  CHECK_THROWS_AS(Canvas(0, 5), std::invalid_argument);
  CHECK_THROWS_AS(Canvas(5, 30'001), std::invalid_argument);
}
