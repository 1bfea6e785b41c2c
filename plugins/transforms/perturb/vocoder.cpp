#include "vocoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

namespace amae {
namespace {

constexpr int64_t kBlock = 32;      // windows at a time: their spectra stay in the cache, and memory does not grow
constexpr float kOnset = 31.6F;     // 15 dB
constexpr float kNothing = 1e-30F;  // |r|^2 below this has no phase; the quietest 16-bit sound gives about 1e-12
constexpr float kBelowAny = -1.0F;  // less than any power

struct Complex {
  float re, im;
  [[nodiscard]] float power() const { return re * re + im * im; }
};

// std::complex would call a library function for each product, to treat infinities by the book.
Complex times(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

/// The recursion of the header over the windows of one channel.
class PhaseLock {
 public:
  explicit PhaseLock(int64_t bins)
      : bins_(bins), last_(static_cast<size_t>(bins)), power_(static_cast<size_t>(bins) + 4, kBelowAny) {}

  /// now = X(a_k) becomes Y_k; before = X(a_k - H).
  void advance(Complex* now, const Complex* before) {
    if (std::exchange(is_first_, false)) {
      std::copy_n(now, bins_, last_.begin());
      return;
    }
    for (int64_t b = 0; b < bins_; ++b) power_[b + 2] = now[b].power();
    int64_t begin = 0;
    for (int64_t peak = next_peak(0); peak < bins_;) {
      const int64_t next = next_peak(peak + 1);
      const int64_t end = next < bins_ ? (peak + next + 1) / 2 : bins_;
      const Complex turn = rotation(peak, before[peak]);
      for (int64_t b = begin; b < end; ++b) last_[b] = now[b] = times(now[b], turn);
      begin = end;
      peak = next;
    }
  }

 private:
  /// The first bin >= from whose power two neighbours on each side do not exceed; bins_ when there is none.
  [[nodiscard]] int64_t next_peak(int64_t from) const {
    for (int64_t b = from; b < bins_; ++b) {
      const float* at = power_.data() + b + 2;
      if (at[0] > at[-1] && at[0] >= at[1] && at[0] > at[-2] && at[0] >= at[2]) return b;
    }
    return bins_;
  }

  [[nodiscard]] Complex rotation(int64_t peak, Complex before) const {
    if (power_[peak + 2] > kOnset * before.power()) return {1, 0};
    const Complex r = times(last_[peak], {before.re, -before.im});
    const float power = r.power();
    if (!(power > kNothing)) return {1, 0};
    const float scale = 1 / std::sqrt(power);
    return {r.re * scale, r.im * scale};
  }

  int64_t bins_;
  std::vector<Complex> last_;  // Y_{k-1}
  std::vector<float> power_;   // of now, two bins of kBelowAny on each side, so that peaks need no special case
  bool is_first_ = true;
};

Complex* spectrum_of(at::Tensor& spectra, int64_t window, int64_t bins) {
  return reinterpret_cast<Complex*>(spectra.mutable_data_ptr<c10::complex<float>>()) + window * bins;
}

}  // namespace

int64_t vocoder_size(double window_s, double rate_hz) {
  return int64_t{1} << std::clamp<int64_t>(std::llround(std::log2(window_s * rate_hz)), 4, 24);
}

at::Tensor stretch(const at::Tensor& x, double factor, int64_t n_fft) {
  return stretch_to(x, factor, std::llround(static_cast<double>(x.size(1)) / factor), n_fft);
}

at::Tensor stretch_to(const at::Tensor& x, double factor, int64_t length, int64_t n_fft) {
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kFloat && x.is_contiguous(), "stretch: x must be [C, N] float32");
  TORCH_CHECK(factor > 0 && length >= 0 && n_fft >= 16 && n_fft % 4 == 0, "stretch: factor, length or n_fft is wrong");
  const int64_t n = x.size(1), hop = n_fft / 4, half = n_fft / 2, bins = half + 1;
  const int64_t windows = (length + hop - 1) / hop + 1;  // centred on output samples 0, H, 2H, ...
  const auto source = [=](int64_t k) {
    return static_cast<int64_t>(std::llround(static_cast<double>(k * hop) * factor));
  };
  const int64_t lead = half + hop;  // silence before x: the window before the first one reaches there
  std::vector<float> padded(static_cast<size_t>(lead + std::max(n, source(windows - 1)) + half), 0.0F);
  const at::Tensor taper = at::hann_window(n_fft, /*periodic=*/true, at::kFloat);
  const float* w = taper.const_data_ptr<float>();

  const int64_t span = (windows - 1) * hop + n_fft;  // output sample i lies at half + i of this
  std::vector<float> sum(static_cast<size_t>(span)), weight(static_cast<size_t>(span), 0.0F);
  for (int64_t k = 0; k < windows; ++k) {
    for (int64_t i = 0; i < n_fft; ++i) weight[k * hop + i] += w[i] * w[i];
  }
  at::Tensor out = at::empty({x.size(0), length}, x.options());
  for (int64_t c = 0; c < x.size(0); ++c) {
    std::copy_n(x.const_data_ptr<float>() + c * n, n, padded.begin() + lead);
    std::fill(sum.begin(), sum.end(), 0.0F);
    PhaseLock lock(bins);
    for (int64_t first = 0; first < windows; first += kBlock) {
      const int64_t count = std::min(kBlock, windows - first);
      at::Tensor pieces = at::empty({2, count, n_fft}, x.options());  // [now, before]
      float* piece = pieces.mutable_data_ptr<float>();
      for (const int64_t back : {int64_t{0}, hop}) {
        for (int64_t k = first; k < first + count; ++k, piece += n_fft) {
          const float* from = padded.data() + lead + source(k) - half - back;
          for (int64_t i = 0; i < n_fft; ++i) piece[i] = w[i] * from[i];
        }
      }
      at::Tensor spectra = at::fft_rfft(pieces);
      for (int64_t k = 0; k < count; ++k) {
        lock.advance(spectrum_of(spectra, k, bins), spectrum_of(spectra, count + k, bins));
      }
      const at::Tensor made = at::fft_irfft(spectra[0], n_fft).contiguous();
      for (int64_t k = 0; k < count; ++k) {
        const float* from = made.const_data_ptr<float>() + k * n_fft;
        float* to = sum.data() + (first + k) * hop;
        for (int64_t i = 0; i < n_fft; ++i) to[i] += w[i] * from[i];
      }
    }
    float* to = out.mutable_data_ptr<float>() + c * length;
    for (int64_t i = 0; i < length; ++i) to[i] = sum[half + i] / weight[half + i];
  }
  return out;
}

}  // namespace amae
