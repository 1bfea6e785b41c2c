// The front ends of well-known libraries and models, as data: what every option of `mel_spectrogram` and
// `linear_spectrogram` is where the config does not say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace amae {

/// Raised whenever a number of the table changes: part of the version() of every transform that reads it.
inline constexpr int64_t kProfilesVersion = 1;

/// The words are those of the options of the same name; the defaults are torchaudio's, so a row of the table says where
/// a front end departs from it.
struct Profile {
  std::string name;

  // Frames (framing.h).
  int64_t n_fft = 400;   ///< samples; 0: the least power of two that holds the window
  double window_ms = 0;  ///< 0: n_fft samples
  int64_t hop = 0;       ///< samples; 0: hop_ms
  double hop_ms = 0;     ///< 0: half the window
  std::string window = "hann";
  std::string window_form = "periodic";
  std::string center = "true";
  std::string short_window = "middle";
  std::string pad_mode = "reflect";
  std::string remove_dc = "none";
  double pre_emphasis = 0;
  double full_scale = 1;

  // Mel filters (mel_scale.h).
  int64_t n_mels = 128;
  double f_min = 0;  ///< Hz
  double f_max = 0;  ///< Hz; 0: half the sampling rate
  std::string mel_scale = "htk";
  std::string norm = "none";
  std::string triangles = "hz";

  // Level (mel_spectrogram.h).
  int64_t power = 2;
  std::string scale = "linear";
  double floor = 1e-10;
  std::string floor_rule = "clamp";
  std::string feature_norm = "none";
  double mean = 0, std = 1;  ///< of feature_norm: stats
};

/// The row of that name, one of profile_names().
const Profile& find_profile(const std::string& name);

/// All names, for an option's choices.
std::vector<std::string> profile_names();

/// What an option says, or what the profile says where the option is "profile".
inline const std::string& chosen(const std::string& option, const std::string& of_profile) {
  return option == "profile" ? of_profile : option;
}

}  // namespace amae
