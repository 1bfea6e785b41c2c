#include "band_eq.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../common/checks.h"

namespace amae {
namespace {

/// Factor of each bin, as the header says.
std::vector<float> random_curve(int64_t bins, const BandEqOptions& options, Draw& draw) {
  const int64_t count = draw.integer(options.bands[0], options.bands[1] + 1);
  // Inner borders: sorted draws from what is left when every band has its least width, then that width put back.
  std::vector<int64_t> border(static_cast<size_t>(count) + 1, 0);
  for (int64_t b = 1; b < count; ++b) border[b] = draw.integer(0, bins - count * options.min_bins + 1);
  std::sort(border.begin() + 1, border.end() - 1);
  for (int64_t b = 1; b < count; ++b) border[b] += b * options.min_bins;
  border[count] = bins;
  std::vector<float> curve(static_cast<size_t>(bins));
  double left_db = draw.uniform(-options.max_db, options.max_db);
  for (int64_t b = 0; b < count; ++b) {
    const double right_db = draw.uniform(-options.max_db, options.max_db);
    for (int64_t bin = border[b]; bin < border[b + 1]; ++bin) {
      const double place = static_cast<double>(bin - border[b]) / static_cast<double>(border[b + 1] - border[b]);
      curve[bin] = static_cast<float>(std::pow(10.0, (left_db + (right_db - left_db) * place) / 10));
    }
    left_db = right_db;
  }
  return curve;
}

}  // namespace

void BandEqOptions::check() const { require_interval("bands", bands); }

BandEq::BandEq(BandEqOptions options) : options_(std::move(options)) {}

Spec BandEq::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "band_eq", {Domain::spectrogram});
  require_level(input, "band_eq", {Level::power});
  if (input.shape[1] >= 0) require_bins(input.shape[1]);
  return input;
}

void BandEq::require_bins(int64_t bins) const {
  if (bins >= options_.bands[1] * options_.min_bins) return;
  throw InputError("TRANSFORM-INPUT", "", "bands",
                   fmt::format("got {} bands of at least {} bins, expected no more than the {} bins that arrive",
                               options_.bands[1], options_.min_bins, bins));
}

void BandEq::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  TORCH_CHECK(x.dim() == 4, "band_eq: x must be [B, C, F, T]");
  const int64_t channels = x.size(1), bins = x.size(2), frames = x.size(3);
  require_bins(bins);  // output() may not have known them
  at::Tensor out = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t item = 0; item < x.size(0); ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    const std::vector<float> curve = draw.chance(options_.p) ? random_curve(bins, options_, draw)
                                                             : std::vector<float>(static_cast<size_t>(bins), 1.0F);
    for (int64_t row = 0; row < channels * bins; ++row, from += frames, to += frames) {
      const float factor = curve[row % bins];
      for (int64_t t = 0; t < frames; ++t) to[t] = factor * from[t];
    }
  }
  batch.x = out;
}

}  // namespace amae
