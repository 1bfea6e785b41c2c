// Draws what an ideal receiver sees of every digital modulation: symbols after the matched filter, and for the
// modulations of continuous phase the path of the waveform with the carrier turned back.
//
//   bench_radio_constellations FILE.png [snr_db=30]
//
// A frame of 8192 samples of each, with carrier and rate offset, without fading.

#include <cstdio>
#include <cstdlib>

#include "plugins/data/synthetic_radio/receiver.h"
#include "report/canvas.h"

namespace {

using namespace amae;

constexpr int kSide = 220, kTitle = 18, kColumns = 6;
constexpr Color kGrid{220, 220, 220}, kPoint{20, 70, 160};

/// x is scaled so that 2 is the edge of the panel.
void dots(Canvas& canvas, int left, int top, const Iq& x) {
  for (size_t n = 0; n < x.size(); ++n) {
    const auto place = [](float value) {
      return static_cast<int>(std::lround(kSide / 2.0 * (1 + static_cast<double>(value) / 2)));
    };
    const int across = place(x.i[n]), down = place(-x.q[n]);
    if (across >= 0 && across < kSide - 1 && down >= 0 && down < kSide - 1)
      canvas.rect(left + across, top + down, 2, 2, kPoint);
  }
}

/// The waveform with the carrier turned back.
Iq steadied(Iq x, const FrameTruth& truth) {
  for (size_t n = 0; n < x.size(); ++n) {
    const double angle = truth.phase + truth.carrier * static_cast<double>(n);
    rotate(x, n, static_cast<float>(std::cos(angle)), static_cast<float>(-std::sin(angle)));
  }
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_radio_constellations FILE.png [snr_db=30]\n");
    return 2;
  }
  const double snr_db = argc > 2 ? std::atof(argv[2]) : 30;
  SyntheticRadioOptions options;
  options.fading = "none";
  options.length = 8192;
  const CleanRadio radio(options);

  std::vector<const Modulation*> digital;
  for (const Modulation& modulation : modulations()) {
    if (is_digital(modulation.family)) digital.push_back(&modulation);
  }
  const int rows = (static_cast<int>(digital.size()) + kColumns - 1) / kColumns;
  Canvas canvas(kColumns * (kSide + 10) + 10, rows * (kSide + kTitle + 10) + 10);
  for (size_t m = 0; m < digital.size(); ++m) {
    const Modulation& modulation = *digital[m];
    const int left = 10 + static_cast<int>(m) % kColumns * (kSide + 10);
    const int top = 10 + kTitle + static_cast<int>(m) / kColumns * (kSide + kTitle + 10);
    canvas.rect(left + kSide / 2, top, 1, kSide, kGrid);
    canvas.rect(left, top + kSide / 2, kSide, 1, kGrid);
    Draw signal(0, 0, m, 0), noise(0, 0, m, 1);
    FrameParts parts = radio.parts(modulation, snr_db, signal, noise);
    Iq& x = parts.signal;
    for (size_t n = 0; n < x.size(); ++n) {
      x.i[n] += parts.noise.i[n];
      x.q[n] += parts.noise.q[n];
    }
    const bool has_points = !modulation.points.empty();
    const double late = modulation.family == Family::offset ? 0.5 : 0;
    dots(canvas, left, top,
         has_points ? matched_filter(x, parts.truth, options.roll_off, 8, late).symbols : steadied(x, parts.truth));
    canvas.frame(left, top, kSide, kSide, {120, 120, 120});
    canvas.text(left, top - kTitle + 3, modulation.name, {}, 1);
  }
  canvas.save(argv[1]);
  std::printf("%s: %zu modulations at %g dB\n", argv[1], digital.size(), snr_db);
  return 0;
}
