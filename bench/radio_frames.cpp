// How many frames a second the radio generator makes on one core, for each modulation and for RML2016.10a's eleven
// mixed.
//
//   bench_radio_frames [frames=2000]
//
// Prints microseconds a frame for each modulation (mode clean, 128 samples, all of the channel), then frames a second.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "plugins/data/synthetic_radio/clean_radio.h"
#include "plugins/data/synthetic_radio/rml2016a.h"

namespace {

using namespace amae;

/// Seconds of a core that work(0) .. work(count - 1) take, whatever else the machine does.
template <class Work>
double seconds_of(int64_t count, const Work& work) {
  const std::clock_t start = std::clock();
  for (int64_t k = 0; k < count; ++k) work(k);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t frames = argc > 1 ? std::max<int64_t>(std::atoll(argv[1]), 1) : 2000;
  const SyntheticRadioOptions options;
  const CleanRadio clean(options);
  std::vector<float> i(128), q(128);
  const auto make = [&](const Modulation& modulation, int64_t row) {
    Draw signal(0, 0, static_cast<uint64_t>(row), 0), noise(0, 0, static_cast<uint64_t>(row), 1);
    clean.frame(modulation, 10, signal, noise, i, q);
  };
  for (const Modulation& modulation : modulations()) {
    const double s = seconds_of(frames, [&](int64_t row) { make(modulation, row); });
    std::printf("%-10s %6.1f us\n", modulation.name.c_str(), 1e6 * s / static_cast<double>(frames));
  }
  std::vector<const Modulation*> eleven;
  for (const auto& name : options.classes) eleven.push_back(find_modulation(name));
  const int64_t mixed = 11 * frames;
  const double s = seconds_of(mixed, [&](int64_t row) { make(*eleven[static_cast<size_t>(row % 11)], row); });
  std::printf("clean, 11 mixed: %.0f frames/s on one core\n", static_cast<double>(mixed) / s);
  const Rml2016a faithful(0, eleven, {0}, frames);
  const double t =
      seconds_of(mixed, [&](int64_t row) { faithful.frame(static_cast<size_t>(row % 11), 0, row / 11, i, q); });
  std::printf("rml2016a_faithful, 11 mixed: %.0f frames/s on one core\n", static_cast<double>(mixed) / t);
  return 0;
}
