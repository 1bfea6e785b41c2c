// noise: white as it always was, and the colours.
#include "transforms/wave/noise.h"

#include <cmath>
#include <numbers>

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

TEST_CASE("noise has the power that its ratio says, is white and centred") {
  const at::Tensor x = testing::noise({3, 2, 20001}) * 5;
  const at::Tensor n = applied(Noise({.snr_db = {10, 10}}), batch_of(x)).x - x;
  for (int64_t i = 0; i < 3; ++i) {
    const double power = n[i].square().mean().item<double>();
    // 40002 samples: relative deviation of the mean power is sqrt(2/40002) = 0.7 %; five of them.
    CHECK(std::abs(power / (x[i].square().mean().item<double>() / 10) - 1) < 0.035);
    CHECK(std::abs(n[i].mean().item<double>()) < 5 * std::sqrt(power / 40002));
    const at::Tensor line = n[i].flatten();
    CHECK(std::abs((line.slice(0, 1) * line.slice(0, 0, -1)).mean().item<double>()) < 5 * power / 200);
  }
}

TEST_CASE("white noise is Box and Muller's, in float, from the item's own stream") {
  const at::Tensor x = at::ones({1, 2, 51});
  const at::Tensor y = applied(Noise({.snr_db = {3, 9}}), batch_of(x)).x.flatten();
  Draw draw = testing::stage().draw(100);
  (void)draw.chance(1);
  const auto scale = static_cast<float>(std::sqrt(1 / std::pow(10.0, draw.uniform(3, 9) / 10)));
  for (int64_t i = 0; i < 102; i += 2) {
    const float first = static_cast<float>((draw.bits() >> 8) + 1) * 0x1p-24F;
    const float second = static_cast<float>(draw.bits() >> 8) * 0x1p-24F;
    const float radius = scale * std::sqrt(-2.0F * std::log(first));
    const float angle = 2.0F * std::numbers::pi_v<float> * second;
    CHECK(y[i].item<float>() == 1 + radius * std::cos(angle));
    CHECK(y[i + 1].item<float>() == 1 + radius * std::sin(angle));
  }
}

/// Mean density in decibels of the rows of n [rows, N] around each of `hz`, in bands a third of an octave wide.
std::vector<double> density_db(const at::Tensor& n, const std::vector<double>& hz, double rate_hz) {
  // The window keeps the strong end of a steep spectrum from leaking into the weak one.
  const at::Tensor spectrum = at::fft_rfft(n * at::hann_window(n.size(1), at::kFloat)).abs().square().mean(0);
  const double bin_hz = rate_hz / static_cast<double>(n.size(1)), edge = std::exp2(1.0 / 6);
  std::vector<double> levels;
  for (const double centre : hz) {
    const auto from = std::llround(centre / edge / bin_hz), to = std::llround(centre * edge / bin_hz);
    levels.push_back(10 * std::log10(spectrum.slice(0, from, to).mean().item<double>()));
  }
  return levels;
}

TEST_CASE("coloured noise has its slope for each octave and exactly the power that its ratio says") {
  constexpr double kRate = 32000;
  const at::Tensor x = at::ones({24, 1, 64001});  // a prime factor of 64001 keeps the FFT from having this length
  std::vector<double> hz, octaves;
  for (double octave = 0; octave < 7.2; octave += 1.0 / 3)
    octaves.push_back(octave), hz.push_back(90 * std::exp2(octave));
  const double middle = std::accumulate(octaves.begin(), octaves.end(), 0.0) / static_cast<double>(octaves.size());
  for (const auto& [color, expected] : std::vector<std::pair<const char*, double>>{
           {"white", 0}, {"pink", -3.01}, {"brown", -6.02}, {"blue", 3.01}, {"violet", 6.02}}) {
    const at::Tensor n = applied(Noise({.snr_db = {-30, -30}, .color = color}), batch_of(x, kRate)).x.squeeze(1) - 1;
    const std::vector<double> level = density_db(n, hz, kRate);
    double across = 0, spread = 0;
    for (size_t i = 0; i < octaves.size(); ++i) {
      across += (octaves[i] - middle) * level[i];
      spread += (octaves[i] - middle) * (octaves[i] - middle);
    }
    INFO(color << ": " << across / spread << " dB per octave");
    // The lowest band averages 42 bins of 24 rows: 0.14 dB of deviation, and less in all others.
    CHECK(std::abs(across / spread - expected) < 0.3);
    // White noise is drawn with its power, the others are scaled to it; 64001 samples deviate by 0.56 %.
    const at::Tensor power = n.square().mean(1) / 1000;
    CHECK((power - 1).abs().max().item<double>() < (expected == 0 ? 0.03 : 1e-3));
  }
}

TEST_CASE("coloured noise is flat below 20 Hz, and its rows are independent") {
  constexpr double kRate = 2000;
  const at::Tensor x = at::ones({40, 2, 20000});
  const at::Tensor n = applied(Noise({.snr_db = {-30, -30}, .color = "brown"}), batch_of(x, kRate)).x - 1;
  const std::vector<double> level = density_db(n.flatten(0, 1), {3, 15, 40}, kRate);
  CHECK(std::abs(level[0] - level[1]) < 1.5);  // 7 bins of 80 rows in the lower band: 0.2 dB of deviation
  CHECK(level[2] < level[1] - 4);
  const at::Tensor product = (n.select(1, 0) * n.select(1, 1)).mean() / n.square().mean();
  CHECK(std::abs(product.item<double>()) < 0.05);  // 40 rows with about 600 independent values each: 0.0065
}

TEST_CASE("noise leaves silence silent and refuses a reversed interval") {
  CHECK(applied(Noise({}), batch_of(at::zeros({2, 1, 100}))).x.abs().max().item<float>() == 0);
  CHECK(testing::refused_field([] { NoiseOptions{.snr_db = {20, 10}}.check(); }) == "snr_db");
  CHECK(testing::refused_field([] { NoiseOptions{.snr_db = {20}}.check(); }) == "snr_db");
  NoiseOptions{.snr_db = {10, 10}}.check();
}

}  // namespace
}  // namespace amae
