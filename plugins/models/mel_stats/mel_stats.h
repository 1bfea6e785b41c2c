// Mean and deviation over time, as an encoder. Plain LibTorch: only plugin.cpp speaks to the loader.
#pragma once

#include "amae/encoder.h"
#include "amae/signal.h"

namespace amae {

/// The classical features that a learned encoder must beat: over log-mel spectrograms these are the pooled statistics
/// of the ESC baselines; it takes any other spectrogram or signal too. No parameters; with the core's linear head it is
/// logistic regression.
///
/// Shapes: B batch, C channels, F bins, T frames, N samples; x [B, C, F, T] -> [B, 2 C F], x [B, C, N] -> [B, 2 C]: all
/// means in the order of x, then all deviations (of the population). Any T, N >= 1; computed in float64.
class MelStats final : public Encoder {
 public:
  /// Throws InputError (field "input") when C or F are not fixed.
  explicit MelStats(const Spec& input);

  /// Throws InputError (field "input") when x is not as above.
  torch::Tensor forward(const torch::Tensor& x) override;
  [[nodiscard]] int64_t width() const override { return 2 * rows_; }

 private:
  size_t axes_;   // of an item
  int64_t rows_;  // C F, or C
};

}  // namespace amae
