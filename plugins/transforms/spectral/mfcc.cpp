#include "mfcc.h"

#include <cmath>
#include <numbers>

#include "../common/checks.h"

namespace amae {

Mfcc::Mfcc(MfccOptions options) : options_(options) {}

void Mfcc::require_bins(int64_t bins) const {
  if (bins < options_.n_mfcc) {
    throw InputError("TRANSFORM-INPUT", "", "n_mfcc",
                     fmt::format("got {}, expected at most {}, the bins that arrive", options_.n_mfcc, bins));
  }
}

Spec Mfcc::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "mfcc", {Domain::spectrogram});
  require_level(input, "mfcc", {Level::logarithm, Level::other});
  Spec out = input;
  if (input.shape[1] >= 0) require_bins(input.shape[1]);
  out.shape[1] = options_.n_mfcc;
  out.level = Level::other;
  return out;
}

at::Tensor Mfcc::cosines(int64_t bins) const {
  const auto count = static_cast<double>(bins);
  at::Tensor matrix = at::empty({options_.n_mfcc, bins}, at::kFloat);
  float* out = matrix.mutable_data_ptr<float>();
  for (int64_t row = 0; row < options_.n_mfcc; ++row) {
    const auto k = static_cast<double>(row);
    double height = std::sqrt((row == 0 ? 1 : 2) / count);
    if (options_.lifter > 0) height *= 1 + options_.lifter / 2 * std::sin(std::numbers::pi * k / options_.lifter);
    for (int64_t bin = 0; bin < bins; ++bin) {
      const double angle = std::numbers::pi * k * (static_cast<double>(bin) + 0.5) / count;
      *out++ = static_cast<float>(height * std::cos(angle));
    }
  }
  return matrix;
}

void Mfcc::apply(Batch& batch, const Stage& /*stage*/) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 4, "mfcc: x must be [B, C, F, T]");
  const int64_t items = x.size(0), channels = x.size(1), bins = x.size(2);
  require_bins(bins);
  const at::Tensor matrix = cosines(bins);  // anew for each batch: a tenth of a millisecond for 40 of 128
  at::Tensor out = at::empty({items, channels, options_.n_mfcc, x.size(3)}, x.options());
  for (int64_t item = 0; item < items; ++item) {
    for (int64_t channel = 0; channel < channels; ++channel) {
      at::Tensor target = out[item][channel];
      at::mm_out(target, matrix, x[item][channel]);
    }
  }
  batch.x = out;
}

}  // namespace amae
