// From samples to the power spectrum of each frame: what every spectrogram begins with.
//
// Letters: C channels, N samples, W = win_length, T frames. A frame is W samples times the window, followed by zeros up
// to n_fft. Frame t begins at sample t hop + lead of the clip, which is first padded by n_fft/2 on both sides where
// frames are centred. A window shorter than n_fft stands
//   in the middle  lead = (n_fft - W) / 2, and n_fft samples must be there: T = 1 + floor((N' - n_fft) / hop),
//   at the start   lead = 0, and W samples must be there:                   T = 1 + floor((N' - W) / hop),
// N' being the padded length: N, or where frames are centred N + n_fft (even n_fft), so that T = 1 + floor(N / hop).
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "amae/options.h"

namespace amae {

/// Flat part of the options of the spectrograms. 0, -1 (where 0 has a meaning) and "profile" say: the profile's value.
struct FrameOptions {
  std::string profile = "torchaudio";
  int64_t n_fft = 0;
  int64_t win_length = 0;
  int64_t hop = 0;
  std::string window = "profile";
  std::string window_form = "profile";
  std::string center = "profile";
  std::string short_window = "profile";
  std::string pad_mode = "profile";
  std::string remove_dc = "profile";
  double pre_emphasis = -1;
  double full_scale = 0;
  bool normalized = false;

  void describe(Fields& f);
  void check() const;

  /// True when a length comes from the profile in milliseconds, so that nothing is known before the rate is.
  [[nodiscard]] bool needs_rate() const;
};

/// The options with every value settled for one sampling rate.
class Framing {
 public:
  /// rate_hz may be 0 (unknown) unless options.needs_rate(). `type` is what is computed in: float32, or float64 where a
  /// logarithm follows, which shows the rounding of whatever is nearly nothing. Throws InputError naming the option, or
  /// "input" where the rate is to blame; `transform` is whose message it is.
  Framing(const FrameOptions& options, double rate_hz, std::string transform, at::ScalarType type = at::kFloat);

  [[nodiscard]] int64_t hop() const { return hop_; }
  [[nodiscard]] int64_t bins() const { return n_fft_ / 2 + 1; }

  /// T for N samples. Throws InputError (field "input") when they are too few for one frame or for reflection.
  [[nodiscard]] int64_t frames(int64_t samples) const;

  /// |spectrum|^2 of x [C, N] float32 -> [C, bins(), T] of the type, a view whose frames lie together in memory.
  [[nodiscard]] at::Tensor power(const at::Tensor& x) const;

 private:
  std::string transform_;
  int64_t n_fft_ = 0, win_length_ = 0, hop_ = 0;
  int64_t lead_ = 0;  ///< samples before the window
  int64_t span_ = 0;  ///< samples that must be there for a frame
  int64_t pad_ = 0;   ///< on each side
  bool reflects_ = false, removes_dc_ = false;
  double pre_emphasis_ = 0, full_scale_ = 1, divisor_ = 1;
  at::Tensor window_;  // [W], of the type
};

}  // namespace amae
