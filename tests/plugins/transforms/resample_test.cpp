#include "transforms/wave/resample.h"

#include <cmath>
#include <numbers>

#include "testing.h"

namespace amae {
namespace {

using testing::batch_of;
using testing::reference;
using testing::refused_field;
using testing::relative_error;

at::Tensor sine(double hz, double rate_hz, int64_t length) {
  const at::Tensor n = at::arange(length, at::kDouble);
  return (n * (2 * std::numbers::pi * hz / rate_hz)).sin().to(at::kFloat).view({1, 1, length});
}

Batch resampled(const at::Tensor& x, double from, double to, ResampleOptions options = {}) {
  options.rate = to;
  return testing::applied(Resample(options), batch_of(x, from));
}

/// What is left of y, in decibels below `level`, once the best-fitting sine of `hz` is taken out; and that sine's gain.
struct Fit {
  double gain_db, rest_db;
};

Fit fit_sine(const at::Tensor& y, double hz, double rate_hz) {
  const at::Tensor n = at::arange(y.numel(), at::kDouble) * (2 * std::numbers::pi * hz / rate_hz);
  const at::Tensor basis = at::stack({n.sin(), n.cos()}, 1), values = y.to(at::kDouble).view({-1, 1});
  const at::Tensor gram = basis.t().mm(basis), side = basis.t().mm(values);
  const double a = gram[0][0].item<double>(), b = gram[0][1].item<double>(), d = gram[1][1].item<double>();
  const double p = side[0][0].item<double>(), q = side[1][0].item<double>(), det = a * d - b * b;
  const double s = (d * p - b * q) / det, c = (a * q - b * p) / det;
  const at::Tensor rest = values.view({-1}) - s * n.sin() - c * n.cos();
  const double rest_peak = rest.abs().max().item<double>();
  return {20 * std::log10(std::hypot(s, c)), 20 * std::log10(rest_peak + 1e-12)};
}

TEST_CASE("resample equals torchaudio with its Hann and Kaiser settings") {
  const auto& vectors = reference("torchaudio_resample");
  for (const auto& [from, to] :
       {std::pair{44100, 16000}, {44100, 32000}, {16000, 44100}, {22050, 16000}, {44101, 16000}}) {
    const std::string pair = std::to_string(from) + "_" + std::to_string(to);
    INFO(pair);
    const at::Tensor x = vectors.at(pair + ".x").unsqueeze(0);
    ResampleOptions hann{.rate = 0, .method = "sinc_interp_hann", .width = 6, .rolloff = 0.99, .beta = 0};
    // 1e-6: both sum float32 products of the same float64-built kernel, in another order.
    CHECK(relative_error(resampled(x, from, to, hann).x[0], vectors.at(pair + ".hann")) < 2e-6);
    ResampleOptions kaiser{.rate = 0, .method = "sinc_interp_kaiser", .width = 64, .rolloff = 0.9475937167399596};
    CHECK(relative_error(resampled(x, from, to, kaiser).x[0], vectors.at(pair + ".kaiser")) < 2e-6);
  }
}

TEST_CASE(
    "the default resampler passes the quality gate: ripple 0.05 dB to 0.9 Nyquist, images and aliases below -90 dB") {
  constexpr double kFrom = 44100;
  constexpr int64_t kLength = 8820;
  for (const double to : {16000.0, 32000.0}) {
    const auto inner = [to](const at::Tensor& y) {  // the filter reaches 64 crossings past the ends, where x is cut off
      const auto margin = static_cast<int64_t>(70 * std::max(1.0, to / kFrom) / 0.94) + 10;
      return y.view({-1}).slice(0, margin, y.numel() - margin);
    };
    const Resample transform(ResampleOptions{.rate = to});
    for (double share = 0.02; share < 1.3; share += 0.02) {
      const double hz = share * to / 2;
      if (hz > 0.49 * kFrom) break;
      INFO(to << " Hz, tone at " << hz << " Hz = " << share << " Nyquist");
      const at::Tensor y = inner(testing::applied(transform, batch_of(sine(hz, kFrom, kLength), kFrom)).x);
      if (share <= 0.901) {
        const Fit fit = fit_sine(y, hz, to);
        CHECK(std::abs(fit.gain_db) < 0.05);
        CHECK(fit.rest_db < -90);
      } else if (share >= 1) {
        CHECK(20 * std::log10(y.abs().max().item<double>() + 1e-12) < -90);
      }
    }
  }
}

TEST_CASE("torchaudio's own defaults would not pass the quality gate, so the gate can fail") {
  ResampleOptions hann{.rate = 0, .method = "sinc_interp_hann", .width = 6, .rolloff = 0.99};
  const at::Tensor y = resampled(sine(8500, 44100, 8820), 44100, 16000, hann).x.view({-1}).slice(0, 200, 3000);
  CHECK(20 * std::log10(y.abs().max().item<double>()) > -60);
}

TEST_CASE("resample gives ceil(N to / from) samples and announces it") {
  for (const int64_t n : {1, 159, 160, 441, 442, 1000}) {
    const auto expected = static_cast<int64_t>(std::ceil(static_cast<double>(n) * 16000 / 44100));
    const Batch y = resampled(at::ones({2, 1, n}), 44100, 16000);
    CHECK(y.x.sizes() == at::IntArrayRef({2, 1, expected}));
    CHECK(y.rate_hz == 16000);
    Resample transform(ResampleOptions{.rate = 16000});
    CHECK(transform.output({Domain::audio, {1, n}, 44100}, Mode::train).shape == std::vector<int64_t>{1, expected});
  }
}

TEST_CASE("an impulse comes out symmetric") {
  at::Tensor x = at::zeros({1, 1, 2 * 441 + 1});
  x[0][0][441] = 1;
  const at::Tensor y = resampled(x, 44100, 16000).x.view({-1});  // 321 samples, the middle one at 441 * 160/441 = 160
  CHECK((y - y.flip(0)).abs().max().item<double>() < 1e-7);      // rounding of the kernel to float32, peak 0.34
  CHECK(y.argmax().item<int64_t>() == 160);
}

TEST_CASE("equal rates pass through untouched") {
  const at::Tensor x = testing::noise({1, 1, 50});
  CHECK(resampled(x, 16000, 16000).x.is_same(x));
}

TEST_CASE("resample refuses rates that are unknown, broken or absurd, and spectrograms") {
  Resample transform(ResampleOptions{.rate = 16000});
  CHECK(refused_field([&] { testing::applied(transform, batch_of(at::ones({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([&] { testing::applied(transform, batch_of(at::ones({1, 1, 9}), 44100.5)); }) == "input");
  CHECK(refused_field([&] { (void)transform.output({Domain::spectrogram, {1, 2, 3}, 100}, Mode::train); }) == "input");
  CHECK(refused_field([] { SincResampler(999999937, 1000000000); }) == "rate");
  CHECK(refused_field([] { ResampleOptions{.rate = 16000.5}.check(); }) == "rate");
}

}  // namespace
}  // namespace amae
