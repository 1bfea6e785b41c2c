// A rectangle of a spectrogram.
#pragma once

#include <algorithm>
#include <cstdint>

#include "amae/draw.h"

namespace amae {

/// Bins bin .. bin + bins - 1 of frames frame .. frame + frames - 1.
struct Rectangle {
  int64_t bin = 0, frame = 0, bins = 0, frames = 0;
};

/// A rectangle of `height` bins and `width` frames (what the picture has at most), at a uniformly drawn place of a
/// picture of bins x frames where it fits.
inline Rectangle placed(int64_t height, int64_t width, int64_t bins, int64_t frames, Draw& draw) {
  height = std::min(height, bins);
  width = std::min(width, frames);
  const int64_t bin = draw.integer(0, bins - height + 1);
  return {bin, draw.integer(0, frames - width + 1), height, width};
}

}  // namespace amae
