// Transform `mel_spectrogram`: waveform -> mel spectrum, by the conventions of a library or model (profiles.cpp) or by
// any mixture of them.
//
// Letters: C channels, N samples, F = n_mels, T frames (framing.h says how many). Steps: frames and their spectrum; mel
// filters over its power or magnitude; the level (scale), linear in most profiles of libraries: clips are mixed in
// power, so `log` or `db` may come later in the chain; for some models a norm of the finished features.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "amae/options.h"
#include "amae/transform.h"
#include "framing.h"
#include "mel_scale.h"
#include "profiles.h"

namespace amae {

/// 0, "profile" and an empty list say: as the profile has it.
struct MelSpectrogramOptions {
  FrameOptions frame = {};
  int64_t n_mels = 0;
  double f_min = -1;
  double f_max = -1;
  std::string mel_scale = "profile";
  std::string norm = "profile";
  std::string triangles = "profile";
  int64_t power = 0;
  std::string scale = "profile";
  double floor = 0;
  std::string floor_rule = "profile";
  std::string feature_norm = "profile";
  std::vector<double> stats = {};

  void describe(Fields& f) {
    frame.describe(f);
    f.add("n_mels", n_mels, "number of mel bins; 0: the profile's").unit("bins").range(0, 4096);
    f.add("f_min", f_min, "lowest frequency; -1: the profile's").unit("Hz").range(-1, 1e9);
    f.add("f_max", f_max, "highest frequency; 0: half the sampling rate; -1: the profile's").unit("Hz").range(-1, 1e9);
    f.add("mel_scale", mel_scale, "formula of the mel scale").choices({"profile", "htk", "slaney"});
    f.add("norm", norm, "slaney: triangles of equal area; none: of equal height")
        .choices({"profile", "none", "slaney"});
    f.add("triangles", triangles, "over what the sides of the triangles are straight; Kaldi: mel")
        .choices({"profile", "hz", "mel"});
    f.add("power", power, "what is filtered: 1: magnitude, 2: power; 0: the profile's").range(0, 2);
    f.add("scale", scale, "level: as it is, natural logarithm, or decibels (10 log10 of power, 20 log10 of magnitude)")
        .choices({"profile", "linear", "ln", "db"});
    f.add("floor", floor, "keeps the logarithm finite; 0: the profile's").range(0, 1e6);
    f.add("floor_rule", floor_rule, "smaller values are raised to the floor, or it is added to all")
        .choices({"profile", "clamp", "add"});
    f.add("feature_norm", feature_norm,
          "last step; stats: (x - mean) / (2 std) with `stats`; clip: (x - mean) / (std + 1e-8) of the clip's channel")
        .choices({"profile", "none", "stats", "clip"});
    f.add("stats", stats, "[mean, std] of feature_norm: stats, in the units of scale; empty: the profile's");
  }
  void check() const;
};

/// Audio x [B, C, N] at R Hz -> spectrogram [B, C, F, T] at R / hop frames per second.
class MelSpectrogram final : public Transform {
 public:
  explicit MelSpectrogram(MelSpectrogramOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  [[nodiscard]] std::vector<double> bin_frequencies_hz(const Spec& input) const override;
  void apply(Batch& batch, const Stage& stage) const override;

  /// Also to be raised when a row of profiles.cpp changes. 2: the defaults became torchaudio's.
  [[nodiscard]] int64_t version() const override { return 1 + kProfilesVersion; }

 private:
  struct Plan {
    Framing framing;
    at::Tensor filters;  // [F, n_fft/2 + 1], of the type of framing
  };
  [[nodiscard]] const Plan& plan(double rate_hz) const;
  [[nodiscard]] MelFilters filters(double rate_hz) const;
  /// Level and norm of one channel [F, T], which may be written to.
  [[nodiscard]] at::Tensor finished(at::Tensor features) const;

  MelSpectrogramOptions options_;  // every field but `frame` settled
  double mean_ = 0, std_ = 1;
  mutable std::mutex mutex_;
  mutable std::map<double, Plan> plans_;  // by rate, filled on first use
};

}  // namespace amae
