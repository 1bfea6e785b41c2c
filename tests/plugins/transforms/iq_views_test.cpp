// IQ as pictures: amplitude_phase, iq_spectrogram, constellation.
#include <cmath>
#include <memory>
#include <numbers>

#include "testing.h"
#include "transforms/iq_frames/amplitude_phase.h"
#include "transforms/iq_frames/constellation.h"
#include "transforms/iq_frames/iq_spectrogram.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::reference;
using testing::refused_field;
using testing::relative_error;

const at::Tensor& expected(const std::string& name) { return reference("iq").at(name); }

Batch frame_of_reference() { return batch_of(expected("x").unsqueeze(0), 1600); }

std::vector<std::shared_ptr<Transform>> views() {
  return {std::make_shared<AmplitudePhase>(), std::make_shared<IqSpectrogram>(IqSpectrogramOptions{}),
          std::make_shared<ConstellationImage>(ConstellationOptions{})};
}

}  // namespace

TEST_CASE("amplitude_phase equals NumPy's abs and angle / pi, with 0 at 0") {
  const Batch y = applied(AmplitudePhase(), frame_of_reference());
  CHECK(relative_error(y.x[0], expected("polar")) < 1e-6);
  CHECK(y.rate_hz == 1600);
  for (const double zero : {0.0, -0.0}) {
    CHECK(applied(AmplitudePhase(), batch_of(at::full({1, 2, 5}, zero))).x.abs().max().item<float>() == 0);
  }
}

TEST_CASE("iq_spectrogram equals NumPy's shifted FFT for every window") {
  for (const char* window : {"hann", "hamming", "blackman", "rectangular"}) {
    INFO(window);
    const IqSpectrogram transform({.n_fft = 64, .hop = 16, .window = window, .scale = "linear"});
    const Batch y = applied(transform, frame_of_reference());
    CHECK(relative_error(y.x[0][0], expected(std::string("spectrogram.") + window)) < 1e-5);
    CHECK(y.rate_hz == 100);
  }
  const Batch y = applied(IqSpectrogram({.floor = 1e-3}), frame_of_reference());
  // Decibels of float32 powers far below the peak: 1e-5 of the peak is 0.01 dB at the floor, 37 dB below it.
  CHECK((y.x[0][0] - expected("decibels")).abs().max().item<double>() < 0.05);
  CHECK(expected("decibels").min().item<float>() == -30);  // so that the floor is seen to act
}

TEST_CASE("iq_spectrogram shows 0 Hz in the middle row, and tones above and below it above and below") {
  const auto row_of = [](double cycles_a_sample) {
    const at::Tensor angle = at::arange(128, at::kDouble) * (2 * std::numbers::pi * cycles_a_sample);
    const at::Tensor x = at::stack({angle.cos(), angle.sin()}).to(at::kFloat).unsqueeze(0);
    return applied(IqSpectrogram({}), batch_of(x)).x[0][0].mean(1).argmax().item<int64_t>();
  };
  CHECK(row_of(0) == 32);
  CHECK(row_of(0.25) == 48);
  CHECK(row_of(-0.25) == 16);
  CHECK(row_of(-0.5) == 0);
}

TEST_CASE("iq_spectrogram of white noise has the noise's power in every bin, whatever the window") {
  const at::Tensor x = testing::noise({400, 2, 64}) * std::sqrt(2.5);  // E|x|^2 = 5
  for (const char* window : {"hann", "rectangular"}) {
    const at::Tensor mean =
        applied(IqSpectrogram({.window = window, .scale = "linear"}), batch_of(x)).x.squeeze(1).mean(2).mean(0);
    // Each bin averages 400 exponential variables: 5 % of deviation; five of them for the worst of 64.
    CHECK((mean / 5 - 1).abs().max().item<double>() < 0.25);
    CHECK(std::abs(mean.mean().item<double>() / 5 - 1) < 0.03);
  }
}

TEST_CASE("constellation counts as NumPy's histogram2d; what lies outside is left out") {
  Batch batch = frame_of_reference();
  batch.x = batch.x * 2;
  const at::Tensor& counts = expected("constellation");
  const at::Tensor share = applied(ConstellationImage({.bins = 12, .range = 1.5}), batch).x[0][0];
  CHECK(relative_error(share * 301, counts) < 1e-6);
  CHECK(counts.sum().item<float>() < 300);  // so that something lies outside
  const Batch logs = applied(ConstellationImage({.bins = 12, .range = 1.5, .scale = "log"}), batch);
  CHECK(relative_error(logs.x[0][0], counts.log1p()) < 1e-6);
  CHECK(logs.rate_hz == 0);
}

TEST_CASE("constellation: I grows along the columns and Q along the rows, from edge to edge") {
  const at::Tensor x = at::tensor({0.9F, -1.0F, 0.3F, 1.0F, 0.6F, -1.0F, 0.3F, 0.2F}, at::kFloat).view({1, 2, 4});
  const at::Tensor y = applied(ConstellationImage({.bins = 2, .range = 1}), batch_of(x)).x[0][0];
  // (0.9, 0.6) and (0.3, 0.3) above and right, (-1, -1) at the lower edge, (1, 0.2) just outside
  CHECK(at::equal(y, at::tensor({0.25F, 0.0F, 0.0F, 0.5F}, at::kFloat).view({2, 2})));
}

TEST_CASE("views announce what they give, level included") {
  const Spec frames{Domain::iq, {2, 128}, 200000};
  for (const auto& view : views()) {
    const Batch y = applied(*view, batch_of(testing::noise({3, 2, 128}), frames.rate_hz));
    for (const Mode mode : {Mode::train, Mode::eval}) {
      const Spec spec = view->output(frames, mode);
      CHECK(spec.domain == Domain::spectrogram);
      CHECK(y.x[0].sizes() == at::IntArrayRef(spec.shape));
      CHECK(y.rate_hz == spec.rate_hz);
    }
    CHECK_FALSE(view->random());
  }
  CHECK(AmplitudePhase().output(frames, Mode::eval).level == Level::other);
  CHECK(IqSpectrogram({}).output(frames, Mode::eval).level == Level::logarithm);
  CHECK(IqSpectrogram({.scale = "linear"}).output(frames, Mode::eval).level == Level::power);
  CHECK(ConstellationImage({}).output(frames, Mode::eval).level == Level::other);
  CHECK(IqSpectrogram({}).output({Domain::iq, {2, -1}, 0}, Mode::eval).shape == std::vector<int64_t>{1, 64, -1});
}

TEST_CASE("views of a frame do not depend on its batch, stay finite, and leave their input alone") {
  for (const auto& view : views()) {
    const Batch batch = batch_of(testing::noise({4, 2, 128}));
    const at::Tensor before = batch.x.clone(), all = applied(*view, batch).x;
    for (int64_t i = 0; i < 4; ++i) CHECK(at::equal(applied(*view, testing::single(batch, i)).x[0], all[i]));
    CHECK(at::equal(batch.x, before));
    CHECK(at::isfinite(applied(*view, batch_of(at::zeros({2, 2, 128}))).x).all().item<bool>());
    CHECK(at::isfinite(applied(*view, batch_of(before * 1e-30)).x).all().item<bool>());
  }
}

TEST_CASE("views refuse audio, another number of rows, and frames shorter than a transform") {
  for (const auto& view : views()) {
    CHECK(refused_field([&] { (void)view->output({Domain::audio, {2, 128}, 8000}, Mode::eval); }) == "input");
    CHECK(refused_field([&] { (void)view->output({Domain::iq, {1, 128}, 8000}, Mode::eval); }) == "input");
  }
  CHECK(refused_field([] { (void)IqSpectrogram({}).output({Domain::iq, {2, 63}, 0}, Mode::eval); }) == "input");
  CHECK(refused_field([] { applied(IqSpectrogram({}), batch_of(at::zeros({1, 2, 63}))); }) == "input");
  CHECK(refused_field([] { IqSpectrogramOptions{.n_fft = 63}.check(); }) == "n_fft");
}

}  // namespace amae
