#include "energy_crop.h"

#include <cmath>
#include <vector>

#include "cut.h"

namespace amae {
namespace {

/// Sum over `rows` rows of each of the `frames` columns.
std::vector<float> frame_energy(const float* x, int64_t rows, int64_t frames) {
  std::vector<float> energy(static_cast<size_t>(frames), 0.0F);
  for (int64_t row = 0; row < rows; ++row, x += frames) {
    for (int64_t t = 0; t < frames; ++t) energy[t] += x[t];
  }
  return energy;
}

/// Start of the crop by the rule in the header; needs crop < energy.size().
int64_t choose_start(const std::vector<float>& energy, int64_t crop, const EnergyCropOptions& options, Draw& draw) {
  const auto frames = static_cast<int64_t>(energy.size());
  const double floor = *std::max_element(energy.begin(), energy.end()) * std::pow(10.0, options.floor_db / 10);
  std::vector<double> before(static_cast<size_t>(frames) + 1, 0.0);  // energy of frames 0..t-1
  for (int64_t t = 0; t < frames; ++t)
    before[t + 1] = before[t] + (energy[t] >= floor ? static_cast<double>(energy[t]) : 0);
  const double needed = options.min_energy * before[frames];
  std::vector<int64_t> good;
  int64_t best = 0;
  for (int64_t start = 0; start + crop <= frames; ++start) {
    const double held = before[start + crop] - before[start];
    if (held >= needed) good.push_back(start);
    if (held > before[best + crop] - before[best]) best = start;
  }
  return good.empty() ? best : good[draw.integer(0, static_cast<int64_t>(good.size()))];
}

}  // namespace

Spec EnergyCrop::output(const Spec& input, Mode mode) const {
  require_domain(input, "energy_crop", {Domain::spectrogram});
  require_level(input, "energy_crop", {Level::power});
  if (input.shape[2] == 0) throw input_error("energy_crop", "got a spectrogram without frames, expected at least one");
  Spec out = input;
  if (mode == Mode::train) out.shape[2] = options_.frames;
  return out;
}

void EnergyCrop::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  const Rows shape(x);
  const int64_t frames = shape.length, crop = options_.frames;
  TORCH_CHECK(x.dim() == 4 && frames > 0, "energy_crop: x must be [B, C, F, T] with T > 0");
  if (frames == crop) return;
  batch.x = cut(x, crop, [&](int64_t item, const float* values) {
    Draw draw = stage.draw(batch.ids[item]);
    return choose_start(frame_energy(values, shape.rows, frames), crop, options_, draw);
  });
}

}  // namespace amae
