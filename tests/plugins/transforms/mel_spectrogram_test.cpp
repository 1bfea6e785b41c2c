#include "transforms/spectral/mel_spectrogram.h"

#include <cmath>

#include "testing.h"
#include "transforms/spectral/mel_scale.h"

namespace amae {
namespace {

using testing::batch_of;
using testing::reference;
using testing::refused_field;
using testing::relative_error;
using Options = MelSpectrogramOptions;

struct Case {
  const char* name;
  double rate_hz;
  Options options;
};

// The settings of tools/testgen/reference_vectors.py.
const std::vector<Case> kCases = {
    {"htk_1024_32k", 32000, {.frame = {.n_fft = 1024, .hop = 512}, .n_mels = 64, .f_min = 50, .f_max = 14000}},
    {"htk_400_16k", 16000, {.frame = {.n_fft = 400, .hop = 160}, .n_mels = 80, .f_min = 50, .f_max = 8000}},
    {"slaney_norm",
     22050,
     {.frame = {.n_fft = 1024, .hop = 256}, .n_mels = 40, .mel_scale = "slaney", .norm = "slaney"}},
    {"slaney_plain", 22050, {.frame = {.n_fft = 1024, .hop = 256}, .n_mels = 40, .mel_scale = "slaney"}},
    {"htk_norm",
     22050,
     {.frame = {.n_fft = 1024, .hop = 256}, .n_mels = 40, .f_min = 100, .f_max = 9000, .norm = "slaney"}},
    {"htk_2048_44k", 44100, {.frame = {.n_fft = 2048, .hop = 512}, .n_mels = 128}},
    {"hamming", 16000, {.frame = {.n_fft = 512, .hop = 128, .window = "hamming"}, .n_mels = 40}},
    {"short_window", 16000, {.frame = {.n_fft = 512, .win_length = 400, .hop = 160}, .n_mels = 64}},
    {"short_odd_window", 16000, {.frame = {.n_fft = 512, .win_length = 321, .hop = 77}, .n_mels = 40}},
    {"uncentred", 16000, {.frame = {.n_fft = 512, .hop = 160, .center = "false"}, .n_mels = 40}},
    {"constant_pad", 16000, {.frame = {.n_fft = 512, .hop = 160, .pad_mode = "constant"}, .n_mels = 40}},
    {"magnitude", 16000, {.frame = {.n_fft = 512, .hop = 160}, .n_mels = 40, .power = 1}},
    {"normalized", 16000, {.frame = {.n_fft = 512, .hop = 160, .normalized = true}, .n_mels = 40}},
};

TEST_CASE("mel_spectrogram equals torchaudio in every convention") {
  const auto& vectors = reference("torchaudio_mel");
  for (const auto& [name, rate_hz, options] : kCases) {
    INFO(name);
    const at::Tensor x = vectors.at(std::string(name) + ".x").unsqueeze(0);
    const MelSpectrogram transform(options);
    const Batch y = testing::applied(transform, batch_of(x, rate_hz));
    // Both transform in float32, and torchaudio builds its filters in float32: 1e-5 of the peak is left for that.
    CHECK(relative_error(y.x[0], vectors.at(std::string(name) + ".mel")) < 1e-5);
    const Spec spec = transform.output({Domain::audio, {2, x.size(2)}, rate_hz}, Mode::eval);
    CHECK(at::IntArrayRef(spec.shape) == y.x[0].sizes());
    CHECK(spec.rate_hz == y.rate_hz);
  }
}

TEST_CASE("a wrong convention is far outside the tolerance, so the parity test can fail") {
  const auto& vectors = reference("torchaudio_mel");
  const Options wrong{.frame = {.n_fft = 512, .hop = 160, .pad_mode = "constant"}, .n_mels = 40};
  const Batch y = testing::applied(MelSpectrogram(wrong), batch_of(vectors.at("magnitude.x").unsqueeze(0), 16000));
  CHECK(relative_error(y.x[0].sqrt(), vectors.at("magnitude.mel")) > 1e-2);
}

TEST_CASE("mel scales invert, and Slaney's joins its two halves at 1 kHz") {
  for (const MelScale scale : {MelScale::htk, MelScale::slaney}) {
    for (const double hz : {0.0, 50.0, 999.0, 1000.0, 1001.0, 16000.0}) {
      CHECK(std::abs(mel_to_hz(hz_to_mel(hz, scale), scale) - hz) < 1e-8);  // rounding of pow and log
    }
  }
  CHECK(std::abs(hz_to_mel(1000, MelScale::slaney) - 15) < 1e-12);  // 1000 / (200/3), rounded
  CHECK(std::abs(hz_to_mel(1000, MelScale::htk) - 1000) < 0.05);    // the scale's definition: 1000 Hz is 1000 mel
}

TEST_CASE("mel_spectrogram gives an item the same numbers alone and in a batch, at any rate it has seen") {
  for (const char* profile : {"torchaudio", "kaldi", "audiomae++"}) {
    INFO(profile);
    const MelSpectrogram transform(Options{.frame = {.profile = profile}, .n_mels = 20, .f_max = 4000});
    const Batch batch = batch_of(testing::noise({4, 2, 1000}), 8000);
    const Batch all = testing::applied(transform, batch);
    testing::applied(transform, batch_of(testing::noise({1, 1, 1000}), 16000));  // another filter bank in between
    for (int64_t i = 0; i < 4; ++i) {
      CHECK(at::equal(testing::applied(transform, testing::single(batch, i)).x[0], all.x[i]));
    }
  }
}

TEST_CASE("the level is ln or decibels of power or magnitude, with the floor as a limit or added") {
  const at::Tensor x = testing::noise({1, 1, 2000});
  const auto features = [&](Options options) {
    options.frame.n_fft = 256;
    options.n_mels = 10;
    return testing::applied(MelSpectrogram(options), batch_of(x, 8000)).x;
  };
  const at::Tensor power = features({}), magnitude = features({.power = 1});
  // One rounding of a logarithm below 32, in float32.
  const auto equal = [](const at::Tensor& a, const at::Tensor& b) { return at::allclose(a, b, 1e-6, 1e-5); };
  const double floor = power.median().item<double>();
  CHECK(equal(features({.scale = "ln", .floor = floor}), power.clamp_min(floor).log()));
  CHECK(equal(features({.scale = "ln", .floor = floor, .floor_rule = "add"}), (power + floor).log()));
  CHECK(equal(features({.scale = "db", .floor = floor}), power.clamp_min(floor).log10() * 10));
  CHECK(equal(features({.power = 1, .scale = "db"}), magnitude.clamp_min(1e-10).log10() * 20));
}

TEST_CASE("the features are brought to given statistics or to those of the clip, each channel by itself") {
  const Options plain{.frame = {.profile = "kaldi"}};
  Options stats = plain, clip = plain;
  stats.feature_norm = "stats";
  stats.stats = {3, 2};
  clip.feature_norm = "clip";
  stats.check();
  clip.check();
  const Batch batch = batch_of(testing::noise({2, 2, 4000}), 16000);
  const at::Tensor x = testing::applied(MelSpectrogram(plain), batch).x;
  CHECK(at::allclose(testing::applied(MelSpectrogram(stats), batch).x, (x - 3) / 4, 1e-6, 1e-6));  // float32
  const at::Tensor y = testing::applied(MelSpectrogram(clip), batch).x.flatten(2).to(at::kDouble);
  CHECK(y.mean(2).abs().max().item<double>() < 1e-6);  // float32
  CHECK((y.std(2, /*unbiased=*/true) - 1).abs().max().item<double>() < 1e-6);
}

TEST_CASE("mel_spectrogram refuses what it cannot do and names the option") {
  const auto output = [](Options options, Spec input) {
    return refused_field([&] { (void)MelSpectrogram(options).output(input, Mode::train); });
  };
  const auto check = [](const Options& options) { return refused_field([&] { options.check(); }); };
  const FrameOptions long_frame{.n_fft = 1024}, kaldi{.profile = "kaldi"};
  CHECK(output({.f_max = 14000}, {Domain::audio, {1, 16000}, 16000}) == "f_max");
  CHECK(output({.frame = {.profile = "panns"}}, {Domain::audio, {1, 16000}, 16000}) == "f_max");
  CHECK(output({.f_min = 9000}, {Domain::audio, {1, 16000}, 16000}) == "f_min");
  CHECK(output({.frame = {.profile = "panns"}, .f_min = 15000}, {Domain::audio, {1, 16000}, 32000}) == "f_min");
  CHECK(output({}, {Domain::iq, {2, 16000}, 16000}) == "input");
  CHECK(output({.frame = long_frame}, {Domain::audio, {1, 512}, 32000}) == "input");  // reflection needs 513
  CHECK(output({.frame = long_frame}, {Domain::audio, {1, 513}, 32000}).empty());
  CHECK(output({.frame = {.n_fft = 1024, .pad_mode = "constant"}}, {Domain::audio, {1, 1}, 32000}).empty());
  CHECK(output({.frame = {.n_fft = 1024, .center = "false"}}, {Domain::audio, {1, 1023}, 32000}) == "input");
  CHECK(output({.frame = kaldi}, {Domain::audio, {1, 399}, 16000}) == "input");  // snip_edges needs 25 ms
  CHECK(output({.frame = kaldi}, {Domain::audio, {1, 400}, 16000}).empty());
  CHECK(output({.frame = kaldi}, {Domain::audio, {1, 400}, 50}) == "input");   // 10 ms are less than a sample
  CHECK(output({.frame = kaldi}, {Domain::audio, {1, 400}, 1e9}) == "input");  // 25 ms are too many
  CHECK(output({.frame = {.profile = "kaldi", .n_fft = 256}}, {Domain::audio, {1, 400}, 16000}) == "n_fft");
  CHECK(output({.frame = {.win_length = 401}}, {Domain::audio, {1, 400}, 16000}) == "win_length");
  CHECK(check({.frame = {.n_fft = 512, .win_length = 513}}) == "win_length");
  CHECK(check({.frame = {.n_fft = 1}}) == "n_fft");
  CHECK(check({.frame = {.pre_emphasis = -0.5}}) == "pre_emphasis");
  CHECK(check({.f_min = 100, .f_max = 100}) == "f_max");
  CHECK(check({.stats = {1, 1}}) == "stats");
  CHECK(check({.feature_norm = "stats"}) == "stats");
  CHECK(check({.feature_norm = "stats", .stats = {1, 0}}) == "stats");
  CHECK(check({.frame = {.profile = "ast"}, .feature_norm = "stats"}).empty());
  CHECK(refused_field([] {
          testing::applied(MelSpectrogram({}), batch_of(testing::noise({1, 1, 2000}), 0));
        }) == "input");
}

TEST_CASE("what is announced without a rate leaves open what depends on it") {
  const Spec unknown{Domain::audio, {1, 4000}, 0};
  CHECK(MelSpectrogram({}).output(unknown, Mode::eval).shape == std::vector<int64_t>{1, 128, 21});
  CHECK(MelSpectrogram({.frame = {.profile = "kaldi"}}).output(unknown, Mode::eval).shape ==
        std::vector<int64_t>{1, 23, -1});
  const Spec lengths{Domain::audio, {1, -1}, 16000};
  CHECK(MelSpectrogram({}).output(lengths, Mode::eval).shape == std::vector<int64_t>{1, 128, -1});
}

TEST_CASE("a tone is loudest in the bin whose frequency is nearest to it") {
  const double rate_hz = 16000;
  const Spec input{Domain::audio, {1, 16000}, rate_hz};
  for (const char* scale : {"htk", "slaney"}) {
    const MelSpectrogram mel({.frame = {.n_fft = 1024, .hop = 512}, .n_mels = 40, .f_min = 50, .mel_scale = scale});
    const std::vector<double> hz = mel.bin_frequencies_hz(input);
    REQUIRE(hz.size() == 40);
    for (const size_t bin : {size_t{12}, size_t{25}, size_t{38}}) {
      const at::Tensor time = at::arange(16000, at::kDouble) / rate_hz;
      Batch batch{(time * (2 * M_PI * hz[bin])).sin().to(at::kFloat).view({1, 1, -1}), {}, {0}, rate_hz};
      mel.apply(batch, {});
      CHECK(batch.x[0][0].mean(1).argmax().item<int64_t>() == static_cast<int64_t>(bin));
    }
  }
  CHECK(MelSpectrogram({}).bin_frequencies_hz({Domain::audio, {1, 4000}, 0}).empty());
}

}  // namespace
}  // namespace amae
