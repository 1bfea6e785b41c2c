// Transform `cfo`: a carrier frequency offset, as between two oscillators that do not quite agree.
#pragma once

#include <utility>
#include <vector>

#include "amae/options.h"
#include "frame_augmentation.h"

namespace amae {

struct CfoOptions {
  std::vector<double> offset = {-0.001, 0.001};
  std::vector<double> offset_hz = {};
  double p = 1;

  void describe(Fields& f) {
    f.add("offset", offset, "[lowest, highest] offset as a share of the sampling rate; negative: downwards")
        .unit("fraction")
        .range(-0.5, 0.5);
    f.add("offset_hz", offset_hz, "the same in Hz, for data of a known rate; overrides offset when not empty")
        .unit("Hz")
        .range(-1e12, 1e12);
    f.add("p", p, "probability for each example").unit("fraction").range(0, 1);
  }
  void check() const;
};

/// IQ x [B, 2, N] -> x[n] e^(2 pi i f n), n = 0 .. N-1, with f ~ U(offset) cycles a sample, or U(offset_hz) / rate.
/// A spectrum that is moved over half the rate comes in again at the other end. |x| stays.
/// Throws InputError naming offset_hz where the rate is unknown or half of it is less than an offset.
class Cfo final : public FrameAugmentation {
 public:
  explicit Cfo(CfoOptions options) : FrameAugmentation("cfo", options.p), options_(std::move(options)) {}

 protected:
  void check_rate(double rate_hz) const override;
  void change(const IqFrame& frame, Draw& draw) const override;

 private:
  CfoOptions options_;
};

}  // namespace amae
