#include "crop.h"

#include <utility>

#include "cut.h"

namespace amae {
namespace {

void require_frames(int64_t frames) {
  if (frames == 0) throw input_error("crop", "got a clip of no frames, expected at least one");
}

}  // namespace

Crop::Crop(CropOptions options) : options_(std::move(options)) {}

Spec Crop::output(const Spec& input, Mode mode) const {
  require_domain(input, "crop", {Domain::audio, Domain::iq, Domain::spectrogram});
  require_frames(input.shape.back());
  Spec out = input;
  if (mode == Mode::train || options_.eval == "center") out.shape.back() = options_.frames;
  return out;
}

void Crop::apply(Batch& batch, const Stage& stage) const {
  const at::Tensor x = plain(batch.x);
  const int64_t frames = x.size(-1);
  require_frames(frames);
  if (frames == options_.frames) return;
  batch.x = cut(x, options_.frames, [&](int64_t item, const float* /*values*/) {
    return stage.draw(batch.ids[item]).integer(0, frames - options_.frames + 1);
  });
}

void Crop::apply_eval(Batch& batch, int64_t view, int64_t views) const {
  if (options_.eval == "whole") return;
  const at::Tensor x = plain(batch.x);
  const int64_t frames = x.size(-1);
  require_frames(frames);
  if (frames == options_.frames) return;
  const int64_t starts = frames - options_.frames + 1;
  batch.x = cut(x, options_.frames, [&](int64_t /*item*/, const float* /*values*/) {
    return ((starts - 1) / 2 + view * starts / views) % starts;
  });
}

}  // namespace amae
