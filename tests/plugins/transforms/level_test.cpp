// A chain that would take decibels for power is refused when the config is read.
#include <string>
#include <vector>

#include "testing.h"
#include "transforms/augment/band_eq.h"
#include "transforms/augment/between_class.h"
#include "transforms/augment/energy_crop.h"
#include "transforms/spectral/linear_spectrogram.h"
#include "transforms/spectral/log.h"
#include "transforms/spectral/mel_spectrogram.h"
#include "transforms/spectral/mfcc.h"
#include "transforms/spectral/pcen.h"
#include "transforms/spectral/standardize.h"
#include "transforms/wave/gain.h"

namespace amae {
namespace {

Spec picture_of(Level level) { return {Domain::spectrogram, {1, 40, 60}, 62.5, level}; }

/// The levels that a transform takes, in the order of the enum: "P", "M", "L" and "O".
std::string accepted(const Transform& transform) {
  std::string letters;
  for (const auto& [level, letter] :
       {std::pair(Level::power, 'P'), {Level::magnitude, 'M'}, {Level::logarithm, 'L'}, {Level::other, 'O'}}) {
    if (testing::refused_field([&] { (void)transform.output(picture_of(level), Mode::train); }).empty()) {
      letters += letter;
    }
  }
  return letters;
}

Level level_after(const Transform& transform, const Spec& input) { return transform.output(input, Mode::eval).level; }

TEST_CASE("what adds powers or scales them takes power only") {
  CHECK(accepted(Gain({})) == "P");
  CHECK(accepted(BandEq({})) == "P");
  CHECK(accepted(BetweenClass({})) == "P");
  CHECK(accepted(EnergyCrop({.frames = 20})) == "P");
}

TEST_CASE("a logarithm is taken once, and of what db was told") {
  CHECK(accepted(Log({})) == "PM");
  CHECK(accepted(Pcen({})) == "PM");
  CHECK(accepted(Decibel({})) == "P");
  CHECK(accepted(Decibel({.multiplier = "magnitude"})) == "M");
  CHECK(accepted(Mfcc({.n_mfcc = 13})) == "LO");
  CHECK(accepted(Standardize({})) == "PMLO");
}

TEST_CASE("each spectrogram says what its values are") {
  const Spec sound{Domain::audio, {1, 16000}, 16000};
  const auto mel = [&](const MelSpectrogramOptions& options) { return level_after(MelSpectrogram(options), sound); };
  CHECK(mel({}) == Level::power);
  CHECK(mel({.power = 1}) == Level::magnitude);
  CHECK(mel({.scale = "db"}) == Level::logarithm);
  CHECK(mel({.frame = {.profile = "kaldi"}}) == Level::logarithm);
  CHECK(mel({.frame = {.profile = "ast"}}) == Level::other);
  CHECK(level_after(LinearSpectrogram({}), sound) == Level::power);
  CHECK(level_after(LinearSpectrogram({.power = 1}), sound) == Level::magnitude);
  CHECK(level_after(Log({}), picture_of(Level::power)) == Level::logarithm);
  CHECK(level_after(Decibel({}), picture_of(Level::power)) == Level::logarithm);
  CHECK(level_after(Pcen({}), picture_of(Level::power)) == Level::other);
  CHECK(level_after(Mfcc({.n_mfcc = 13}), picture_of(Level::logarithm)) == Level::other);
  CHECK(level_after(Standardize({}), picture_of(Level::power)) == Level::other);
}

}  // namespace
}  // namespace amae
