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
    {"htk_1024_32k", 32000, {.n_fft = 1024, .hop = 512, .n_mels = 64, .f_min = 50, .f_max = 14000}},
    {"htk_400_16k", 16000, {.n_fft = 400, .hop = 160, .n_mels = 80, .f_min = 50, .f_max = 8000}},
    {"slaney_norm", 22050, {.n_fft = 1024, .hop = 256, .n_mels = 40, .mel_scale = "slaney", .norm = "slaney"}},
    {"slaney_plain", 22050, {.n_fft = 1024, .hop = 256, .n_mels = 40, .mel_scale = "slaney"}},
    {"htk_norm", 22050, {.n_fft = 1024, .hop = 256, .n_mels = 40, .f_min = 100, .f_max = 9000, .norm = "slaney"}},
    {"htk_2048_44k", 44100, {.n_fft = 2048, .hop = 512, .n_mels = 128}},
    {"hamming", 16000, {.n_fft = 512, .hop = 128, .n_mels = 40, .window = "hamming"}},
    {"short_window", 16000, {.n_fft = 512, .win_length = 400, .hop = 160, .n_mels = 64}},
    {"short_odd_window", 16000, {.n_fft = 512, .win_length = 321, .hop = 77, .n_mels = 40}},
    {"uncentred", 16000, {.n_fft = 512, .hop = 160, .n_mels = 40, .center = false}},
    {"constant_pad", 16000, {.n_fft = 512, .hop = 160, .n_mels = 40, .pad_mode = "constant"}},
    {"magnitude", 16000, {.n_fft = 512, .hop = 160, .n_mels = 40, .power = 1}},
    {"normalized", 16000, {.n_fft = 512, .hop = 160, .n_mels = 40, .normalized = true}},
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

TEST_CASE("the power spectrum equals torchaudio's before the mel filters") {
  const auto& vectors = reference("torchaudio_mel");
  for (const auto& [name, rate_hz, options] : kCases) {
    const auto expected = vectors.find(std::string(name) + ".stft_power");
    if (expected == vectors.end()) continue;
    INFO(name);
    const at::Tensor x = vectors.at(std::string(name) + ".x");
    CHECK(relative_error(MelSpectrogram(options).power_spectrum(x), expected->second) < 1e-5);  // as above
  }
}

TEST_CASE("a wrong convention is far outside the tolerance, so the parity test can fail") {
  const auto& vectors = reference("torchaudio_mel");
  const Options wrong{.n_fft = 512, .hop = 160, .n_mels = 40, .pad_mode = "constant"};
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
  const MelSpectrogram transform(Options{.n_fft = 256, .hop = 100, .n_mels = 20});
  const Batch batch = batch_of(testing::noise({4, 2, 1000}), 8000);
  const Batch all = testing::applied(transform, batch);
  testing::applied(transform, batch_of(testing::noise({1, 1, 1000}), 16000));  // another filter bank in between
  for (int64_t i = 0; i < 4; ++i) {
    CHECK(at::equal(testing::applied(transform, testing::single(batch, i)).x[0], all.x[i]));
  }
}

TEST_CASE("mel_spectrogram refuses what it cannot do and names the option") {
  const auto output = [](Options options, Spec input) {
    return refused_field([&] { (void)MelSpectrogram(options).output(input, Mode::train); });
  };
  CHECK(output({.f_max = 14000}, {Domain::audio, {1, 16000}, 16000}) == "f_max");
  CHECK(output({.f_min = 9000}, {Domain::audio, {1, 16000}, 16000}) == "f_min");
  CHECK(output({}, {Domain::iq, {2, 16000}, 16000}) == "input");
  CHECK(output({}, {Domain::audio, {1, 512}, 32000}) == "input");  // reflection needs 513
  CHECK(output({}, {Domain::audio, {1, 513}, 32000}).empty());
  CHECK(output({.pad_mode = "constant"}, {Domain::audio, {1, 512}, 32000}).empty());
  CHECK(output({.center = false}, {Domain::audio, {1, 1023}, 32000}) == "input");
  CHECK(refused_field([] { Options{.n_fft = 512, .win_length = 513}.check(); }) == "win_length");
  CHECK(refused_field([] { Options{.f_min = 100, .f_max = 100}.check(); }) == "f_max");
  CHECK(refused_field([] {
          testing::applied(MelSpectrogram({}), batch_of(testing::noise({1, 1, 2000}), 0));
        }) == "input");
}

}  // namespace
}  // namespace amae
