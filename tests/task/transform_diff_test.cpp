#include "task/transform_diff.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "testing.h"

using namespace amae;

namespace {

constexpr double kTolerance = 1e-4;

StageOutput output(const at::Tensor& x, double rate_hz = 100) {
  const Domain domain = x.dim() == 3 ? Domain::spectrogram : Domain::audio;
  return {"t", {domain, x.sizes().vec(), rate_hz}, x};
}

/// [1, 16, 5] with the values 0 … 79.
at::Tensor ramp() { return at::arange(80, at::kFloat).view({1, 16, 5}); }

Signal chirp() {
  const at::Tensor t = at::arange(8000, at::kFloat) / 8000;
  return {at::sin(2 * std::numbers::pi * (100 * t + 1500 * t * t)).mul(0.5).unsqueeze(0), 8000, Domain::audio};
}

ChainDiff diff_of(const std::string& a, const std::string& b) {
  const std::vector<std::filesystem::path> plugins = {AMAE_BUILD_DIR "/plugins"};
  return diff_chains(read_chain(a, "A", plugins), read_chain(b, "B", plugins), chirp(), "a.wav", kTolerance);
}

/// "(file) (file) | log log | - db"
std::string rows_of(const ChainDiff& diff) {
  std::string text;
  for (const StagePair& pair : diff.pairs) {
    text += text.empty() ? "" : " | ";
    text += pair.a < 0 ? "-" : diff.a[static_cast<size_t>(pair.a)].name;
    text += " ";
    text += pair.b < 0 ? "-" : diff.b[static_cast<size_t>(pair.b)].name;
  }
  return text;
}

const std::string kMel = "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16";

}  // namespace

TEST_CASE("the largest difference is found with its place, both values and its share of the peak") {
  at::Tensor other = ramp();
  other[0][7][2] += 4;
  other[0][3][1] -= 2;
  const Comparison comparison = compare(output(ramp()), output(other));
  CHECK(comparison.form.empty());
  CHECK(comparison.peak == 79);
  CHECK(comparison.largest == 4.0 / 79);
  CHECK(comparison.where == std::vector<int64_t>{0, 7, 2});
  CHECK(comparison.a == 37);
  CHECK(comparison.b == 41);
  CHECK_FALSE(comparison.agrees(0.05));
  CHECK(comparison.agrees(0.051));

  // Eight parts of 16 bins: two bins of 5 frames each; 4 of 10 values in the fourth, -2 in the second.
  REQUIRE(comparison.ranges.size() == 8);
  CHECK(comparison.ranges[3].first == 6);
  CHECK(comparison.ranges[3].last == 7);
  CHECK(std::abs(comparison.ranges[3].mean - 0.4 / 79) < 1e-12);
  CHECK(std::abs(comparison.ranges[1].mean + 0.2 / 79) < 1e-12);
  CHECK(std::abs(comparison.ranges[1].mean_abs - 0.2 / 79) < 1e-12);
  CHECK(comparison.ranges[0].mean_abs == 0);
}

TEST_CASE("equal outputs agree at tolerance 0, silence too") {
  CHECK(compare(output(ramp()), output(ramp())).agrees(0));
  CHECK(compare(output(at::zeros({1, 9})), output(at::zeros({1, 9}))).agrees(0));
  CHECK_FALSE(compare(output(at::zeros({1, 9})), output(at::full({1, 9}, 1e-9))).agrees(0.5));  // the peak is 1e-9
}

TEST_CASE("other domains, sizes and rates are differences of their own") {
  const StageOutput a = output(ramp());
  CHECK(compare(a, output(at::zeros({1, 80}))).form == "spectrogram and audio");
  CHECK(compare(a, output(ramp(), 50)).form == "rates 100 and 50 Hz");
  CHECK(compare(a, output(ramp(), 50)).has_values);
  const Comparison bins = compare(a, output(at::zeros({1, 8, 5})));
  CHECK(bins.form == "shapes [1, 16, 5] and [1, 8, 5]");
  CHECK_FALSE(bins.has_values);
  CHECK_FALSE(bins.agrees(1));
  // More frames: the common ones are compared all the same.
  const Comparison longer = compare(a, output(at::cat({ramp(), at::full({1, 16, 1}, 500.0F)}, 2)));
  CHECK(longer.form == "shapes [1, 16, 5] and [1, 16, 6]");
  CHECK(longer.has_values);
  CHECK(longer.largest == 0);
  CHECK_FALSE(longer.agrees(1));
  CHECK_FALSE(compare(a, output(at::zeros({1, 16, 9}), 180)).has_values);  // frames of other lengths
}

TEST_CASE("values that are not finite differ unless they are the same") {
  const float infinity = std::numeric_limits<float>::infinity();
  at::Tensor a = ramp(), b = ramp();
  a[0][2][3] = b[0][2][3] = -infinity;
  a[0][5][0] = b[0][5][0] = std::nanf("");
  CHECK(compare(output(a), output(b)).agrees(0));
  CHECK(compare(output(a), output(b)).peak == 79);
  b[0][5][0] = 1;
  const Comparison one = compare(output(a), output(b));
  CHECK(std::isinf(one.largest));
  CHECK(one.where == std::vector<int64_t>{0, 5, 0});
  b = ramp();
  b[0][5][0] = std::nanf("");
  b[0][2][3] = infinity;
  CHECK(std::isinf(compare(output(a), output(b)).largest));
}

TEST_CASE("equal chains agree, and nothing parts") {
  const ChainDiff diff = diff_of("[" + kMel + "}, log]", "[" + kMel + "}, log]");
  CHECK(rows_of(diff) == "(file) (file) | mel_spectrogram mel_spectrogram | log log");
  CHECK_FALSE(diff.parted);
  CHECK(diff.output.agrees(0));
}

TEST_CASE("the first transform that gives something else is where they part") {
  const ChainDiff diff =
      diff_of("[{name: channels}, " + kMel + "}, log]", "[{name: channels}, " + kMel + ", power: 1}, log]");
  REQUIRE(diff.parted);
  CHECK(*diff.parted == 2);
  CHECK(diff.pairs[1].comparison->agrees(0));
  CHECK_FALSE(diff.output.agrees(kTolerance));
}

TEST_CASE("transforms that only one chain has stand alone, and the outputs are compared all the same") {
  const ChainDiff extra = diff_of("[{name: channels}, " + kMel + "}, log]", "[" + kMel + "}, {name: log}]");
  CHECK(rows_of(extra) == "(file) (file) | channels - | mel_spectrogram mel_spectrogram | log log");
  CHECK_FALSE(extra.parted);
  CHECK(extra.output.agrees(0));  // one channel: channels keeps it

  const ChainDiff other = diff_of("[" + kMel + "}, log]", "[" + kMel + "}, db]");
  CHECK(rows_of(other) == "(file) (file) | mel_spectrogram mel_spectrogram | log - | - db");
  CHECK_FALSE(other.parted);
  CHECK(other.output.has_values);
  CHECK_FALSE(other.output.agrees(kTolerance));

  CHECK(rows_of(diff_of("[]", "channels")) == "(file) (file) | - channels");
}

TEST_CASE("a picture can be made of any two outputs") {
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {kMel + "}", kMel + ", power: 1}"},                   // energies
           {kMel + "}", "{name: mel_spectrogram, n_mels: 40}"},  // other sizes
           {kMel + "}", "[]"},                                   // a spectrogram and a waveform
           {"[]", "{name: resample, rate: 4 kHz}"},              // two waveforms
           {"[]", "[]"}}) {                                      // the same
    INFO(a << " and " << b);
    const at::Tensor rgb = picture_of(diff_of(a, b)).rgb();
    CHECK(rgb.size(2) == 3);
    CHECK(rgb.eq(255).logical_not().any().item<bool>());
  }
}
