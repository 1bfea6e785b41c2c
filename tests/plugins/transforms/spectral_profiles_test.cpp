// Every profile of mel_spectrogram against numbers from the library that it is named after (see
// tools/testgen/front_end_vectors.py) on impulse, chirp, noise, silence and ten real clips.
#include <cmath>

#include "testing.h"
#include "transforms/spectral/mel_spectrogram.h"
#include "transforms/spectral/profiles.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::reference;
using testing::relative_error;

/// The rate for which a front end was published.
int64_t rate_of(const std::string& profile) {
  return profile == "panns" ? 32000 : profile == "librosa" ? 22050 : 16000;
}

/// Samples [1, 1, N], full scale 1.
at::Tensor samples(int64_t rate_hz, const std::string& signal) {
  const at::Tensor x = reference("front_ends").at("x." + std::to_string(rate_hz) + "." + signal);
  return (x.scalar_type() == at::kShort ? x.to(at::kFloat) / 32768 : x).view({1, 1, -1});
}

std::vector<std::string> signals() {
  std::vector<std::string> names;
  const std::string prefix = "x.16000.";
  for (const auto& [name, tensor] : reference("front_ends")) {
    if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
  }
  return names;
}

at::Tensor features(const MelSpectrogramOptions& options, const std::string& signal) {
  const int64_t rate_hz = rate_of(options.frame.profile);
  return applied(MelSpectrogram(options), batch_of(samples(rate_hz, signal), static_cast<double>(rate_hz))).x[0][0];
}

/// Undoes the level and the norm of published features: what the logarithm was taken of, float64.
at::Tensor linear(const std::string& profile, at::Tensor y) {
  const Profile& p = find_profile(profile);
  y = y.to(at::kDouble);
  if (p.feature_norm == "stats") y = y * (2 * p.std) + p.mean;
  if (p.scale == "ln") y = y.exp();
  if (p.scale == "db") y = at::pow(10.0, y / 10);
  return y;
}

TEST_CASE("each profile is within 1e-4 of the peak of its reference, as features and as what they are the level of") {
  REQUIRE(signals().size() == 14);
  for (const std::string& profile : profile_names()) {
    double worst_level = 0, worst_linear = 0;
    for (const std::string& signal : signals()) {
      INFO(profile << " " << signal);
      const at::Tensor got = features({.frame = {.profile = profile}}, signal);
      const at::Tensor expected = reference("front_ends").at(profile + "." + signal);
      REQUIRE(got.sizes() == expected.sizes());
      CHECK(at::isfinite(got).all().item<bool>());
      if (expected.abs().max().item<double>() < 1e-3) {  // of silence: rounding of 0, so there is no peak to measure by
        CHECK(got.abs().max().item<double>() < 1e-6);
        continue;
      }
      worst_level = std::max(worst_level, relative_error(got, expected));
      CHECK(relative_error(got, expected) < 1e-4);
      if (profile == "audiomae++") continue;  // its norm cannot be undone; see the next test
      worst_linear = std::max(worst_linear, relative_error(linear(profile, got), linear(profile, expected)));
      CHECK(relative_error(linear(profile, got), linear(profile, expected)) < 1e-4);
    }
    // Shown with -s: the figures for the record.
    INFO(profile << ": features within " << worst_level << " of the peak, linear within " << worst_linear);
    SUCCEED();
  }
}

TEST_CASE("audiomae++ is within 1e-4 of its reference before its norm, as logarithm and as power") {
  for (const std::string& signal : signals()) {
    INFO(signal);
    const at::Tensor got = features({.frame = {.profile = "audiomae++"}, .feature_norm = "none"}, signal);
    const at::Tensor expected = reference("front_ends").at("audiomae++.ln." + signal);
    CHECK(relative_error(got, expected) < 1e-4);
    CHECK(relative_error(got.to(at::kDouble).exp(), expected.to(at::kDouble).exp()) < 1e-4);
  }
}

TEST_CASE("every value of a profile can be given as an option, and options go before the profile") {
  for (const std::string& profile : profile_names()) {
    INFO(profile);
    const Profile& p = find_profile(profile);
    // All of them at once, on top of the profile that differs most. Kaldi's 25 and 10 ms are 400 and 160 at 16 kHz.
    const bool in_ms = p.window_ms > 0;
    const MelSpectrogramOptions spelled{
        .frame = {.profile = profile == "kaldi" ? "librosa" : "kaldi",
                  .n_fft = in_ms ? 512 : p.n_fft,
                  .win_length = in_ms ? 400 : p.n_fft,
                  .hop = in_ms       ? 160
                         : p.hop > 0 ? p.hop
                                     : p.n_fft / 2,
                  .window = p.window,
                  .window_form = p.window_form,
                  .center = p.center,
                  .short_window = p.short_window,
                  .pad_mode = p.pad_mode,
                  .remove_dc = p.remove_dc,
                  .pre_emphasis = p.pre_emphasis,
                  .full_scale = p.full_scale},
        .n_mels = p.n_mels,
        .f_min = p.f_min,
        .f_max = p.f_max,
        .mel_scale = p.mel_scale,
        .norm = p.norm,
        .triangles = p.triangles,
        .power = p.power,
        .scale = p.scale,
        .floor = p.scale == "linear" ? 0 : p.floor,
        .floor_rule = p.floor_rule,
        .feature_norm = p.feature_norm,
        .stats = p.feature_norm == "stats" ? std::vector<double>{p.mean, p.std} : std::vector<double>{}};
    spelled.check();
    const auto rate_hz = static_cast<double>(rate_of(profile));
    const Batch noise = batch_of(samples(rate_of(profile), "noise"), rate_hz);
    const at::Tensor expected = applied(MelSpectrogram({.frame = {.profile = profile}}), noise).x;
    const at::Tensor got = applied(MelSpectrogram(spelled), noise).x;
    CHECK(at::equal(got, expected));
  }
}

TEST_CASE("one convention changed is far outside the tolerance, so the parity test can fail") {
  struct Change {
    const char* profile;
    const char* what;
    void (*make)(MelSpectrogramOptions&);
  };
  const std::vector<Change> changes = {
      {"torchaudio", "triangles", [](MelSpectrogramOptions& o) { o.triangles = "mel"; }},
      {"torchaudio", "window_form", [](MelSpectrogramOptions& o) { o.frame.window_form = "symmetric"; }},
      {"librosa", "pad_mode", [](MelSpectrogramOptions& o) { o.frame.pad_mode = "reflect"; }},
      {"librosa", "mel_scale", [](MelSpectrogramOptions& o) { o.mel_scale = "htk"; }},
      {"kaldi", "window", [](MelSpectrogramOptions& o) { o.frame.window = "hann"; }},
      {"kaldi", "window_form", [](MelSpectrogramOptions& o) { o.frame.window_form = "periodic"; }},
      {"kaldi", "remove_dc", [](MelSpectrogramOptions& o) { o.frame.remove_dc = "none"; }},
      {"kaldi", "pre_emphasis", [](MelSpectrogramOptions& o) { o.frame.pre_emphasis = 0.95; }},
      {"kaldi", "full_scale", [](MelSpectrogramOptions& o) { o.frame.full_scale = 32000; }},
      {"kaldi", "triangles", [](MelSpectrogramOptions& o) { o.triangles = "hz"; }},
      {"kaldi", "f_min", [](MelSpectrogramOptions& o) { o.f_min = 10; }},
      {"ast", "stats",
       [](MelSpectrogramOptions& o) {
         o.stats = {-4.26, 4.57};
       }},
      {"ast", "n_fft", [](MelSpectrogramOptions& o) { o.frame.n_fft = 400; }},
      {"audiomae++", "norm", [](MelSpectrogramOptions& o) { o.norm = "slaney"; }},
      {"panns", "norm", [](MelSpectrogramOptions& o) { o.norm = "none"; }},
  };
  for (const auto& [profile, what, make] : changes) {
    INFO(profile << " " << what);
    MelSpectrogramOptions options{.frame = {.profile = profile}};
    make(options);
    CHECK(relative_error(features(options, "noise"), reference("front_ends").at(std::string(profile) + ".noise")) >
          2e-4);  // twice the tolerance
  }
}

}  // namespace
}  // namespace amae
