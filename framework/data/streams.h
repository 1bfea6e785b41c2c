// The core's own streams of Draw, which stand where a transform has its place in the chain.
#pragma once

#include <cstdint>

namespace amae {

/// Never renumbered: other numbers are other results.
enum CoreStream : uint32_t {
  kOrderStream = 0xFFFF0001,      ///< order of the training rows
  kDropoutStream = 0xFFFF0002,    ///< seeds LibTorch's generator for a batch
  kMaskStream = 0xFFFF0003,       ///< masks of pretraining
  kFixedMaskStream = 0xFFFF0004,  ///< masks of validation and pictures
  kPreviewStream = 0xFFFF0005,    ///< rows that data preview shows
};

}  // namespace amae
