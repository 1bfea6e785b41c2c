#include "framing.h"

#include <ATen/Dispatch.h>

#include <bit>
#include <cmath>
#include <utility>

#include "../common/checks.h"
#include "profiles.h"

namespace amae {
namespace {

constexpr int64_t kLongest = 1 << 20;

int64_t samples_of(double milliseconds, double rate_hz, const std::string& transform) {
  if (!(rate_hz > 0)) throw input_error(transform, "got an unknown rate, expected samples per second");
  const double samples = rate_hz * milliseconds * 0.001;  // in this order and cut off, as Kaldi's port in torchaudio
  if (!(samples >= 2 && samples <= static_cast<double>(kLongest))) {
    throw input_error(transform, fmt::format("got a rate of {} Hz, expected one where the profile's {} ms are 2 to {} "
                                             "samples; or set n_fft, win_length and hop",
                                             rate_hz, milliseconds, kLongest));
  }
  return static_cast<int64_t>(samples);
}

/// Contiguous complex numbers -> |z|^2. In one pass: real and imaginary parts by themselves are strided, which costs
/// more.
at::Tensor squared_magnitude(const at::Tensor& z) {
  at::Tensor out = at::empty(z.sizes(), z.options().dtype(c10::toRealValueType(z.scalar_type())));
  const int64_t count = out.numel();
  AT_DISPATCH_FLOATING_TYPES(out.scalar_type(), "squared_magnitude", [&] {
    const auto* from = z.const_data_ptr<c10::complex<scalar_t>>();
    auto* to = out.mutable_data_ptr<scalar_t>();
    for (int64_t i = 0; i < count; ++i) to[i] = from[i].real() * from[i].real() + from[i].imag() * from[i].imag();
  });
  return out;
}

at::Tensor make_window(const std::string& kind, bool periodic, int64_t length, at::ScalarType type) {
  const auto options = at::TensorOptions(at::kDouble);
  at::Tensor window =
      kind == "hamming" ? at::hamming_window(length, periodic, options) : at::hann_window(length, periodic, options);
  if (kind == "povey") window.pow_(0.85);
  return window.to(type);
}

}  // namespace

void FrameOptions::describe(Fields& f) {
  f.add("profile", profile, "whose conventions hold for every option that is not given").choices(profile_names());
  f.add("n_fft", n_fft, "length of the Fourier transform; 0: the profile's").unit("samples").range(0, kLongest);
  f.add("win_length", win_length, "length of the window; 0: the profile's, which may be n_fft")
      .unit("samples")
      .range(0, kLongest);
  f.add("hop", hop, "step from frame to frame; 0: the profile's").unit("samples").range(0, kLongest);
  f.add("window", window, "shape of the window; povey: hann to the power of 0.85")
      .choices({"profile", "hann", "hamming", "povey"});
  f.add("window_form", window_form, "the window ends one step before its first value, or on it")
      .choices({"profile", "periodic", "symmetric"});
  f.add("center", center, "true: frame t is centred on sample t * hop; false: frames lie within the clip")
      .choices({"profile", "true", "false"});
  f.add("short_window", short_window, "where in n_fft a shorter window stands; start: Kaldi's snip_edges")
      .choices({"profile", "middle", "start"});
  f.add("pad_mode", pad_mode, "what stands outside the clip when centred").choices({"profile", "reflect", "constant"});
  f.add("remove_dc", remove_dc, "frame: subtract the mean of each frame").choices({"profile", "none", "frame"});
  f.add("pre_emphasis", pre_emphasis,
        "x[i] - a x[i-1] within a frame, its first sample standing for its predecessor; "
        "0: none; -1: the profile's")
      .range(-1, 1);
  f.add("full_scale", full_scale, "samples are multiplied by it first (32768: the range of int16); 0: the profile's")
      .range(0, 1e12);
  f.add("normalized", normalized, "divide the spectrum by the window's root of summed squares");
}

void FrameOptions::check() const {
  if (n_fft == 1) throw option_error("n_fft", "got 1, expected at least 2, or 0 for the profile's");
  if (n_fft > 0 && win_length > n_fft) {
    throw option_error("win_length", fmt::format("got {}, expected at most n_fft = {}", win_length, n_fft));
  }
  if (pre_emphasis < 0 && pre_emphasis != -1) {
    throw option_error("pre_emphasis", fmt::format("got {}, expected 0..1, or -1 for the profile's", pre_emphasis));
  }
}

bool FrameOptions::needs_rate() const {
  const Profile& p = find_profile(profile);
  return (win_length == 0 && p.window_ms > 0) || (hop == 0 && p.hop == 0 && p.hop_ms > 0);
}

Framing::Framing(const FrameOptions& o, double rate_hz, std::string transform, at::ScalarType type)
    : transform_(std::move(transform)) {
  const Profile& p = find_profile(o.profile);
  win_length_ = o.win_length;
  if (win_length_ == 0 && p.window_ms > 0) win_length_ = samples_of(p.window_ms, rate_hz, transform_);
  n_fft_ = o.n_fft > 0 ? o.n_fft : p.n_fft;
  if (n_fft_ == 0)
    n_fft_ = std::max<int64_t>(2, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(win_length_))));
  if (win_length_ == 0) win_length_ = n_fft_;
  if (win_length_ > n_fft_) {
    throw option_error(o.win_length > 0 ? "win_length" : "n_fft",
                       fmt::format("got a window of {} samples, expected at most n_fft = {}", win_length_, n_fft_));
  }
  hop_ = o.hop > 0 ? o.hop : p.hop;
  if (hop_ == 0)
    hop_ = p.hop_ms > 0 ? samples_of(p.hop_ms, rate_hz, transform_) : std::max<int64_t>(1, win_length_ / 2);

  const bool at_start = chosen(o.short_window, p.short_window) == "start";
  lead_ = at_start ? 0 : (n_fft_ - win_length_) / 2;
  span_ = at_start ? win_length_ : n_fft_;
  pad_ = chosen(o.center, p.center) == "true" ? n_fft_ / 2 : 0;
  reflects_ = chosen(o.pad_mode, p.pad_mode) == "reflect";
  removes_dc_ = chosen(o.remove_dc, p.remove_dc) == "frame";
  pre_emphasis_ = o.pre_emphasis < 0 ? p.pre_emphasis : o.pre_emphasis;
  full_scale_ = o.full_scale > 0 ? o.full_scale : p.full_scale;
  window_ =
      make_window(chosen(o.window, p.window), chosen(o.window_form, p.window_form) == "periodic", win_length_, type);
  if (o.normalized) divisor_ = window_.square().sum().item<double>();
  if (!(divisor_ > 0)) throw option_error("win_length", "got a window of zeros, expected a longer one");
}

int64_t Framing::frames(int64_t samples) const {
  const bool reflects = pad_ > 0 && reflects_;
  const int64_t least = std::max<int64_t>({1, span_ - 2 * pad_, reflects ? pad_ + 1 : 1});
  if (samples < least) {
    throw input_error(transform_, fmt::format("got {} samples, expected at least {} for n_fft = {}{}", samples, least,
                                              n_fft_, reflects ? "; pad_mode: constant takes any length" : ""));
  }
  return 1 + (samples + 2 * pad_ - span_) / hop_;
}

at::Tensor Framing::power(const at::Tensor& x) const {
  const int64_t count = frames(x.size(1));
  at::Tensor samples = x.to(window_.scalar_type());
  if (full_scale_ != 1) samples = samples * full_scale_;
  if (pad_ > 0) {
    samples = reflects_ ? at::reflection_pad1d(samples, {pad_, pad_}) : at::constant_pad_nd(samples, {pad_, pad_});
  }
  at::Tensor frames = samples.slice(1, lead_).unfold(1, win_length_, hop_).narrow(1, 0, count);  // [C, T, W]
  if (removes_dc_) frames = frames - frames.mean(-1, /*keepdim=*/true);
  if (pre_emphasis_ != 0) {
    const at::Tensor before = at::cat({frames.narrow(2, 0, 1), frames.narrow(2, 0, win_length_ - 1)}, 2);
    frames = at::sub(frames, before, pre_emphasis_);
  }
  const at::Tensor spectrum = at::fft_rfft(frames * window_, n_fft_).contiguous();  // [C, T, bins]
  at::Tensor power = squared_magnitude(spectrum);
  if (divisor_ != 1) power.div_(divisor_);
  return power.transpose(1, 2);
}

}  // namespace amae
