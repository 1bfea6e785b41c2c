// mfcc, pcen and linear_spectrogram.
#include <cmath>
#include <memory>
#include <numbers>

#include "testing.h"
#include "transforms/spectral/linear_spectrogram.h"
#include "transforms/spectral/log.h"
#include "transforms/spectral/mel_spectrogram.h"
#include "transforms/spectral/mfcc.h"
#include "transforms/spectral/pcen.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::reference;
using testing::refused_field;
using testing::relative_error;

/// Calls check(signal, x [1, 1, N]) for the 14 signals of front_ends at 16 kHz.
template <class Check>
void for_each_signal(Check check) {
  const std::string prefix = "x.16000.";
  int64_t count = 0;
  for (const auto& [name, x] : reference("front_ends")) {
    if (!name.starts_with(prefix)) continue;
    INFO(name);
    ++count;
    check(name.substr(prefix.size()), (x.scalar_type() == at::kShort ? x.to(at::kFloat) / 32768 : x).view({1, 1, -1}));
  }
  REQUIRE(count == 14);
}

TEST_CASE("mel_spectrogram, db, mfcc is torchaudio's MFCC") {
  const MelSpectrogram mel({});
  const Decibel db({});
  const Mfcc mfcc({});
  for_each_signal([&](const std::string& signal, const at::Tensor& x) {
    const at::Tensor got = applied(mfcc, applied(db, applied(mel, batch_of(x, 16000)))).x[0][0];
    CHECK(relative_error(got, reference("front_ends").at("mfcc.torchaudio." + signal)) < 1e-4);
  });
}

TEST_CASE("mel_spectrogram of kaldi and mfcc with a lifter is Kaldi's mfcc") {
  const MelSpectrogram mel({.frame = {.profile = "kaldi"}});
  const Mfcc mfcc({.n_mfcc = 13, .lifter = 22});
  for_each_signal([&](const std::string& signal, const at::Tensor& x) {
    const at::Tensor got = applied(mfcc, applied(mel, batch_of(x, 16000))).x[0][0];
    CHECK(relative_error(got, reference("front_ends").at("mfcc.kaldi." + signal)) < 1e-4);
  });
}

TEST_CASE("the cosines of mfcc are orthonormal: all of them keep the energy of a frame") {
  const at::Tensor x = testing::noise({2, 1, 24, 5});
  const at::Tensor y = applied(Mfcc({.n_mfcc = 24}), batch_of(x)).x;
  CHECK(at::allclose(y.square().sum(2), x.square().sum(2), 1e-5, 1e-5));  // float32 sums of 24
  const at::Tensor flat = applied(Mfcc({.n_mfcc = 24}), batch_of(at::ones({1, 1, 24, 1}))).x.flatten();
  CHECK(std::abs(flat[0].item<double>() - std::sqrt(24.0)) < 1e-5);
  CHECK(flat.slice(0, 1).abs().max().item<double>() < 1e-5);
}

TEST_CASE("mfcc takes spectrograms with enough bins only") {
  const auto refused = [](const Spec& spec) {
    return refused_field([&] { (void)Mfcc({.n_mfcc = 13}).output(spec, Mode::eval); });
  };
  CHECK(refused({Domain::audio, {1, 100}, 100}) == "input");
  CHECK(refused({Domain::spectrogram, {1, 12, 5}, 100, Level::logarithm}) == "n_mfcc");
  CHECK(refused({Domain::spectrogram, {1, 13, 5}, 100, Level::logarithm}).empty());
  CHECK(refused_field([] { applied(Mfcc({.n_mfcc = 13}), batch_of(testing::noise({1, 1, 12, 5}))); }) == "n_mfcc");
}

TEST_CASE("pcen equals librosa's definition, with its start from 1") {
  const Pcen with_defaults({}), other({.time_constant = 0.06, .gain = 0.8, .bias = 10, .power = 0.25, .eps = 1e-4});
  for_each_signal([&](const std::string& signal, const at::Tensor&) {
    const at::Tensor energy = reference("front_ends").at("librosa." + signal).view({1, 1, 128, -1});
    const Batch batch = batch_of(energy, 22050.0 / 512);
    for (const auto& [name, transform] : {std::pair{"default.", &with_defaults}, {"other.", &other}}) {
      const at::Tensor expected = reference("front_ends").at(std::string("pcen.") + name + signal);
      const at::Tensor got = applied(*transform, batch).x[0][0];
      CHECK(at::isfinite(got).all().item<bool>());
      // Both compute in float64 and round once. Silence gives 0 on both sides.
      CHECK((got - expected).abs().max().item<double>() <= 1e-6 * expected.abs().max().item<double>());
    }
  });
}

TEST_CASE("pcen without bias is a power, without power a logarithm") {
  const Batch batch = batch_of(testing::power({1, 1, 3, 20}), 100);
  // bias and power so small that the general formula comes near its limits.
  const auto pcen = [&](double bias, double power) { return applied(Pcen({.bias = bias, .power = power}), batch).x; };
  CHECK(relative_error(pcen(1e-12, 0.5), pcen(0, 0.5)) < 1e-5);    // bias^0.5 = 1e-6 is taken off
  CHECK(relative_error(pcen(1, 1e-5) / 1e-5, pcen(1, 0)) < 1e-4);  // (1 + u)^p - 1 = p ln(1 + u) + O(p^2)
  CHECK(applied(Pcen({.bias = 0}), batch_of(at::zeros({1, 1, 2, 5}))).x.abs().max().item<double>() == 0);
}

TEST_CASE("pcen makes a steady tone of any loudness the same, which is what it is for") {
  const at::Tensor steady = at::ones({1, 1, 1, 2000});
  const auto last = [&](double level) {
    return applied(Pcen({.gain = 1}), batch_of(steady * level, 100)).x.flatten()[-1].item<double>();
  };
  CHECK(std::abs(last(1e6) - last(1e3)) < 1e-5);  // eps is 1e-9 of the quieter
  CHECK(refused_field([] { applied(Pcen({}), batch_of(testing::power({1, 1, 2, 5}), 0)); }) == "input");
}

TEST_CASE("linear_spectrogram is torchaudio's Spectrogram") {
  const auto& vectors = reference("torchaudio_mel");
  for (const auto& [name, frame] : {std::pair{"htk_400_16k", FrameOptions{.n_fft = 400, .hop = 160}},
                                    {"short_window", FrameOptions{.n_fft = 512, .win_length = 400, .hop = 160}}}) {
    INFO(name);
    const Batch batch = batch_of(vectors.at(std::string(name) + ".x").unsqueeze(0), 16000);
    const at::Tensor power = vectors.at(std::string(name) + ".stft_power");
    CHECK(relative_error(applied(LinearSpectrogram({.frame = frame}), batch).x[0], power) < 1e-5);  // float32
    CHECK(relative_error(applied(LinearSpectrogram({.frame = frame, .power = 1}), batch).x[0], power.sqrt()) < 1e-5);
  }
}

TEST_CASE("an odd n_fft, whose padding is not the frame's length, gives the frames that torch.stft gives") {
  const at::Tensor x = testing::noise({1, 900});
  const at::Tensor window = at::hann_window(255, /*periodic=*/true, at::kFloat);
  const at::Tensor expected = at::stft(x, 255, 100, 255, window, /*center=*/true, "reflect", false, true, true);
  const LinearSpectrogram transform({.frame = {.n_fft = 255, .hop = 100}});
  CHECK(relative_error(applied(transform, batch_of(x.unsqueeze(0), 8000)).x[0], expected.abs().square()) < 1e-5);
  CHECK(transform.output({Domain::audio, {1, 900}, 8000}, Mode::eval).shape == std::vector<int64_t>{1, 128, 9});
}

TEST_CASE("these transforms give what they announce, item by item, and leave their input alone") {
  const Spec audio{Domain::audio, {2, 3000}, 8000}, picture{Domain::spectrogram, {2, 40, 60}, 62.5};
  const Spec levels{Domain::spectrogram, {2, 40, 60}, 62.5, Level::logarithm};
  const std::vector<std::pair<std::shared_ptr<Transform>, Spec>> subjects = {
      {std::make_shared<LinearSpectrogram>(LinearSpectrogramOptions{}), audio},
      {std::make_shared<LinearSpectrogram>(LinearSpectrogramOptions{.frame = {.profile = "kaldi"}}), audio},
      {std::make_shared<MelSpectrogram>(MelSpectrogramOptions{.frame = {.profile = "ast"}}), audio},
      {std::make_shared<Mfcc>(MfccOptions{}), levels},
      {std::make_shared<Pcen>(PcenOptions{}), picture},
  };
  for (const auto& [transform, spec] : subjects) {
    std::vector<int64_t> sizes = spec.shape;
    sizes.insert(sizes.begin(), 3);
    const Batch batch = batch_of(testing::power(sizes), spec.rate_hz);
    const at::Tensor before = batch.x.clone();
    const Batch all = applied(*transform, batch);
    const Spec announced = transform->output(spec, Mode::eval);
    CHECK(all.x[0].sizes() == at::IntArrayRef(announced.shape));
    CHECK(all.rate_hz == announced.rate_hz);
    CHECK(at::equal(batch.x, before));
    for (int64_t i = 0; i < 3; ++i) CHECK(at::equal(applied(*transform, testing::single(batch, i)).x[0], all.x[i]));
  }
  CHECK(LinearSpectrogram({.frame = {.profile = "kaldi"}}).output({Domain::audio, {1, 900}, 0}, Mode::eval).shape ==
        std::vector<int64_t>{1, -1, -1});
}

}  // namespace
}  // namespace amae
