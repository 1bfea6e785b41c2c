// Transform `resample`: audio or IQ at any whole rate -> the same at `rate`, or at any rate -> `ratio` times as many
// samples.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "../common/sinc_resampler.h"
#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct ResampleOptions {
  double rate = 32000;
  double ratio = 0;
  std::string method = "sinc_interp_kaiser";
  int64_t width = 64;
  double rolloff = 0.9475937;
  double beta = 14.769656459379492;

  void describe(Fields& f) {
    f.add("rate", rate, "sampling rate to give, a whole number").unit("Hz").range(1, 1e9);
    f.add("ratio", ratio,
          "output samples for each input sample, for IQ whose rate is not known; overrides rate when not 0")
        .range(0, 64);
    f.add("method", method, "window of the sinc").choices({"sinc_interp_kaiser", "sinc_interp_hann"});
    f.add("width", width, "zero crossings on each side; torchaudio's default is 6 (with hann, rolloff 0.99)")
        .range(1, 512);
    f.add("rolloff", rolloff, "cut-off as a share of the lower Nyquist frequency").unit("fraction").range(0.1, 1);
    f.add("beta", beta, "shape of the Kaiser window").range(0, 50);
  }
  void check() const;
};

/// x [B, C, N] -> [B, C, ceil(N * rate / from)]; equal rates pass through untouched. With a ratio, which is taken as
/// the nearest fraction p/q with q <= 1000: [B, C, ceil(N * p / q)], whatever the rate. IQ is filtered as two real
/// rows: the filter is real, so that both sides of the spectrum fare alike. See SincResampler for the formula.
class Resample final : public Transform {
 public:
  explicit Resample(ResampleOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  /// Rates in Hz, or a ratio's denominator and numerator.
  struct Change {
    int64_t from, to;
  };
  [[nodiscard]] Change change(double from_hz) const;
  [[nodiscard]] double rate_after(double from_hz) const;
  [[nodiscard]] std::shared_ptr<const SincResampler> resampler(double from_hz) const;

  ResampleOptions options_;
  Change by_ratio_{1, 1};
  mutable std::mutex mutex_;
  mutable std::map<int64_t, std::shared_ptr<const SincResampler>> by_rate_;  // by `from`, filled on first use
};

}  // namespace amae
