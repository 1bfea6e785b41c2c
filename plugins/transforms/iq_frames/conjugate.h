// Transform `conjugate`: the spectrum mirrored about 0 Hz, as by a receiver whose I and Q are swapped.
#pragma once

#include "amae/options.h"
#include "frame_augmentation.h"

namespace amae {

struct ConjugateOptions {
  double p = 0;  // off unless asked for: it makes an upper sideband a lower one, which may be another class

  void describe(Fields& f) {
    f.add("p", p, "probability for each example; 0, the default: never, as an upper sideband becomes a lower one")
        .unit("fraction")
        .range(0, 1);
  }
};

/// IQ x [B, 2, N] -> I - i Q. |x| stays.
class Conjugate final : public FrameAugmentation {
 public:
  explicit Conjugate(ConjugateOptions options) : FrameAugmentation("conjugate", options.p) {}

 protected:
  void change(const IqFrame& frame, Draw& /*draw*/) const override {
    for (int64_t n = 0; n < frame.n; ++n) frame.q[n] = -frame.q[n];
  }
};

}  // namespace amae
