// iq_scale, phase_rotation, cfo, conjugate; and what `noise`, `roll` and `resample` do to IQ: noise at a given ratio
// (AWGN), circular time shift, another number of samples a symbol.
#include <cmath>
#include <numbers>

#include "testing.h"
#include "transforms/iq_frames/cfo.h"
#include "transforms/iq_frames/conjugate.h"
#include "transforms/iq_frames/iq_scale.h"
#include "transforms/iq_frames/phase_rotation.h"
#include "transforms/wave/noise.h"
#include "transforms/wave/resample.h"
#include "transforms/wave/roll.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::reference;
using testing::refused_field;
using testing::relative_error;

const Spec kIqFrames{Domain::iq, {2, 128}, 0};

/// The reference frame as a batch of one, at an unknown rate.
Batch reference_frame() { return batch_of(reference("iq").at("x").unsqueeze(0), 0); }

/// |x|^2 of x [B, 2, N] -> [B, N] in float64.
at::Tensor power_of(const at::Tensor& x) { return x.to(at::kDouble).square().sum(1); }

at::Tensor tone(double cycles_a_sample, int64_t length) {
  const at::Tensor angle = at::arange(length, at::kDouble) * (2 * std::numbers::pi * cycles_a_sample);
  return at::stack({angle.cos(), angle.sin()}).to(at::kFloat).unsqueeze(0);
}

/// The frequency, in cycles a sample, of the largest bin of a two-sided spectrum of x [1, 2, N].
double peak_of(const at::Tensor& x) {
  const auto n = static_cast<double>(x.size(2));
  const auto bin = at::fft_fft(at::complex(x[0][0].contiguous(), x[0][1].contiguous())).abs().argmax().item<int64_t>();
  const double share = static_cast<double>(bin) / n;
  return share < 0.5 ? share : share - 1;
}

}  // namespace

TEST_CASE("iq_scale gives each frame rms, mean magnitude or peak 1, as NumPy has it") {
  const at::Tensor sizes = at::tensor({1e-20, 0.01, 1.0, 300.0}, at::kFloat).view({4, 1, 1});
  const at::Tensor x = testing::noise({4, 2, 128}) * sizes;
  for (const char* norm : {"rms", "l1", "peak"}) {
    INFO(norm);
    const IqScale transform({.norm = norm});
    const at::Tensor power = power_of(applied(transform, batch_of(x)).x);
    const at::Tensor size = std::string(norm) == "rms"  ? power.mean(1).sqrt()
                            : std::string(norm) == "l1" ? power.sqrt().mean(1)
                                                        : power.sqrt().amax(1);
    CHECK((size - 1).abs().max().item<double>() < 1e-6);  // 128 values rounded to float32
    CHECK(relative_error(applied(transform, reference_frame()).x[0], reference("iq").at(std::string("scale.") + norm)) <
          1e-6);
    CHECK(applied(transform, batch_of(at::zeros({2, 2, 9}))).x.abs().max().item<float>() == 0);
  }
}

TEST_CASE("phase_rotation turns each frame by one angle, drawn from the whole circle, and keeps |x|") {
  const at::Tensor x = testing::noise({200, 2, 16});
  const at::Tensor y = applied(PhaseRotation({}), batch_of(x)).x;
  CHECK(relative_error(power_of(y), power_of(x)) < 1e-6);
  const at::Tensor from = at::complex(x.select(1, 0), x.select(1, 1)), to = at::complex(y.select(1, 0), y.select(1, 1));
  const at::Tensor angle = at::angle(to / from);  // [200, 16]
  const at::Tensor spread = at::sin(angle - angle.narrow(1, 0, 1)).abs().amax();
  CHECK(spread.item<float>() < 1e-4);  // samples near 0 have rough angles
  // Share of the frames in each quarter: 0.25, with a deviation of 0.031 over 200 of them.
  for (int quarter = -2; quarter < 2; ++quarter) {
    const at::Tensor first = angle.select(1, 0) / (std::numbers::pi / 2);
    const double share = ((first >= quarter).logical_and(first < quarter + 1)).to(at::kDouble).mean().item<double>();
    CHECK(std::abs(share - 0.25) < 0.12);
  }
}

TEST_CASE("phase_rotation by quarters swaps and negates rows: no number is rounded") {
  const at::Tensor x = testing::noise({100, 2, 16});
  const at::Tensor y = applied(PhaseRotation({.angles = "quarters"}), batch_of(x)).x;
  const at::Tensor i = x.select(1, 0), q = x.select(1, 1);
  const std::vector<at::Tensor> turned = {x, at::stack({-q, i}, 1), -x, at::stack({q, -i}, 1)};
  std::vector<int> seen(4, 0);
  for (int64_t item = 0; item < 100; ++item) {
    int matches = 0;
    for (size_t quarter = 0; quarter < 4; ++quarter) {
      if (!at::allclose(y[item], turned[quarter][item], 1e-7, 1e-7)) continue;
      ++matches;
      ++seen[quarter];
    }
    CHECK(matches == 1);
  }
  for (const int count : seen) CHECK(count > 5);  // 25 expected, deviation 4.3
}

TEST_CASE("phase_rotation's evaluation views are spread over the circle, the first untouched") {
  const Batch batch = reference_frame();
  const auto view_of = [&](const char* angles, int64_t view, int64_t views) {
    Batch turned = batch;
    PhaseRotation({.angles = angles}).apply_eval(turned, view, views);
    return turned.x;
  };
  CHECK(view_of("any", 0, 8).is_same(batch.x));
  CHECK(relative_error(view_of("any", 1, 8)[0], reference("iq").at("rotated")) < 1e-6);
  CHECK(relative_error(view_of("any", 2, 8), view_of("quarters", 1, 4)) < 1e-6);
  CHECK(relative_error(view_of("quarters", 6, 8), -batch.x) < 1e-6);
}

TEST_CASE("cfo multiplies by the carrier that NumPy makes") {
  const Cfo transform({.offset = {0.0123, 0.0123}});
  CHECK(relative_error(applied(transform, reference_frame()).x[0], reference("iq").at("cfo")) < 1e-6);
}

TEST_CASE("cfo shifts the spectral peak by the given share of the rate, or by the given Hz") {
  const at::Tensor x = tone(0.125, 1024);
  CHECK(peak_of(x) == 0.125);
  CHECK(peak_of(applied(Cfo({.offset = {0.25, 0.25}}), batch_of(x, 0)).x) == 0.375);
  CHECK(peak_of(applied(Cfo({.offset = {-0.25, -0.25}}), batch_of(x, 0)).x) == -0.125);
  CHECK(peak_of(applied(Cfo({.offset = {0.5, 0.5}}), batch_of(x, 0)).x) == -0.375);  // over the edge, in again below
  const Cfo in_hz({.offset_hz = {-50000, -50000}});
  CHECK(peak_of(applied(in_hz, batch_of(x, 200000)).x) == -0.125);
  CHECK(relative_error(power_of(applied(in_hz, batch_of(x, 200000)).x), power_of(x)) < 1e-6);
}

TEST_CASE("cfo draws its offsets from the whole interval and stays exact over a million samples") {
  const at::Tensor x = tone(0, 4096).expand({64, 2, 4096});
  const at::Tensor y = applied(Cfo({.offset = {-0.1, 0.2}}), batch_of(x)).x;
  double lowest = 1, highest = -1;
  for (int64_t item = 0; item < 64; ++item) {
    const double peak = peak_of(y.narrow(0, item, 1));
    lowest = std::min(lowest, peak);
    highest = std::max(highest, peak);
  }
  CHECK(lowest > -0.101);
  CHECK(lowest < -0.07);  // the least of 64: 0.3 / 65 above the end on average; one in 1000 times above this
  CHECK(highest < 0.201);
  CHECK(highest > 0.17);
  constexpr int64_t kLong = 1'000'000;
  const at::Tensor far = applied(Cfo({.offset = {0.3, 0.3}}), batch_of(tone(0, kLong))).x;
  CHECK((far - tone(0.3, kLong)).abs().max().item<double>() < 1e-6);
}

TEST_CASE("cfo in Hz needs a known rate that is twice the offset; intervals must be in order") {
  const Cfo in_hz({.offset_hz = {-3000, 1000}});
  CHECK(refused_field([&] { (void)in_hz.output(kIqFrames, Mode::train); }) == "offset_hz");
  CHECK(refused_field([&] { (void)in_hz.output({Domain::iq, {2, 9}, 5000}, Mode::train); }) == "offset_hz");
  CHECK(refused_field([&] { applied(in_hz, batch_of(testing::noise({1, 2, 9}), 0)); }) == "offset_hz");
  CHECK(in_hz.output(kIqFrames, Mode::eval).shape == kIqFrames.shape);  // which it leaves alone
  CHECK(in_hz.output({Domain::iq, {2, 9}, 6000}, Mode::train).rate_hz == 6000);
  CHECK(refused_field([] { CfoOptions{.offset = {0.1, 0}}.check(); }) == "offset");
  CHECK(refused_field([] { CfoOptions{.offset_hz = {1}}.check(); }) == "offset_hz");
}

TEST_CASE("conjugate mirrors the spectrum about 0 Hz when asked to, and by default does nothing") {
  const at::Tensor x = tone(0.125, 256);
  CHECK(peak_of(applied(Conjugate({.p = 1}), batch_of(x)).x) == -0.125);
  CHECK(at::equal(applied(Conjugate({}), batch_of(x)).x, x));
}

TEST_CASE("noise on IQ is AWGN: the measured ratio is the given one, and I and Q get the same share") {
  // 40 frames of 2048 samples: 81920 complex noise values, whose mean power deviates by 0.35 %, 0.015 dB.
  const at::Tensor x = tone(0.05, 2048).expand({40, 2, 2048}) * 3;
  for (const double snr_db : {-20.0, 0.0, 18.0}) {
    INFO(snr_db << " dB");
    const at::Tensor n = applied(Noise({.snr_db = {snr_db, snr_db}}), batch_of(x)).x - x;
    const double measured = 10 * std::log10((power_of(x).mean() / power_of(n).mean()).item<double>());
    CHECK(std::abs(measured - snr_db) < 0.08);
    const at::Tensor rows = n.square().mean(2).mean(0);
    CHECK(std::abs((rows[0] / rows[1]).item<double>() - 1) < 0.04);
    const at::Tensor product = (n.select(1, 0) * n.select(1, 1)).mean() / rows.mean();
    CHECK(std::abs(product.item<double>()) < 0.02);
  }
}

TEST_CASE("roll on IQ is a circular time shift of both rows together") {
  const at::Tensor x = testing::noise({20, 2, 64});
  const at::Tensor y = applied(Roll({}), batch_of(x)).x;
  int moved = 0;
  for (int64_t item = 0; item < 20; ++item) {
    int matches = 0;
    for (int64_t shift = 0; shift < 64; ++shift) {
      if (!at::equal(y[item], at::roll(x[item], {shift}, {1}))) continue;
      ++matches;
      if (shift > 0) ++moved;
    }
    CHECK(matches == 1);
  }
  CHECK(moved > 10);
}

TEST_CASE("resample by a ratio equals torchaudio, whatever the rate") {
  for (const auto& [p, q] : {std::pair{3, 2}, {1, 2}, {5, 4}}) {
    INFO(p << "/" << q);
    const double ratio = static_cast<double>(p) / static_cast<double>(q);
    const Resample transform({.ratio = ratio});
    const at::Tensor expected = reference("iq").at(std::to_string(p).insert(0, "resample.") + "_" + std::to_string(q));
    const Batch unknown = applied(transform, reference_frame());
    CHECK(relative_error(unknown.x[0], expected) < 2e-6);
    CHECK(unknown.rate_hz == 0);
    Batch known = reference_frame();
    known.rate_hz = 1000.5;  // by `rate` only whole numbers are taken
    CHECK(applied(transform, known).rate_hz == 1000.5 * ratio);
    const Spec spec = transform.output({Domain::iq, {2, 301}, 0}, Mode::train);
    CHECK(spec.shape == std::vector<int64_t>{2, expected.size(1)});
    CHECK(spec.rate_hz == 0);
    CHECK(transform.output({Domain::iq, {2, -1}, 8000}, Mode::train).rate_hz == 8000 * ratio);
  }
  const at::Tensor x = testing::noise({1, 2, 50});
  CHECK(applied(Resample({.ratio = 1}), batch_of(x, 0)).x.is_same(x));
  CHECK(refused_field([] { ResampleOptions{.ratio = 1e-5}.check(); }) == "ratio");
}

TEST_CASE("resample moves a tone of IQ to its frequency over the ratio, on either side of 0 Hz") {
  const Resample transform({.ratio = 2});
  for (const double cycles : {0.125, -0.125}) {
    const at::Tensor y = applied(transform, batch_of(tone(cycles, 512), 0)).x;
    CHECK(peak_of(y) == cycles / 2);
  }
}

TEST_CASE("transforms of IQ refuse audio, spectrograms and another number of rows") {
  const std::vector<std::shared_ptr<Transform>> all = {
      std::make_shared<IqScale>(IqScaleOptions{}), std::make_shared<PhaseRotation>(PhaseRotationOptions{}),
      std::make_shared<Cfo>(CfoOptions{}), std::make_shared<Conjugate>(ConjugateOptions{})};
  for (const auto& transform : all) {
    for (const Mode mode : {Mode::train, Mode::eval}) {
      CHECK(refused_field([&] { (void)transform->output({Domain::audio, {2, 128}, 8000}, mode); }) == "input");
      CHECK(refused_field([&] { (void)transform->output({Domain::spectrogram, {2, 1, 128}, 10}, mode); }) == "input");
      CHECK(refused_field([&] { (void)transform->output({Domain::iq, {4, 128}, 0}, mode); }) == "input");
      CHECK(transform->output(kIqFrames, mode).shape == kIqFrames.shape);
      CHECK(transform->output({Domain::iq, {2, -1}, 1e6}, mode).rate_hz == 1e6);
    }
  }
}

}  // namespace amae
