// FLAC files out.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>

namespace amae {

struct WrittenFlac {
  int bits = 16;        ///< 16 where that says exactly what the samples are, else 24
  int64_t clipped = 0;  ///< samples beyond full scale, written as full scale
};

/// samples [C, N] float32, full scale 1; 1 to 8 channels, a whole number of Hz from 1,000 to 655,350, N > 0. Nothing is
/// lost of sound that came from 16 or 24 bits; other samples are rounded to 24 bits. The caller makes it durable.
/// Throws EnvironmentError when the disk says no; std::invalid_argument for other samples, NaN among them.
WrittenFlac write_flac(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz);

/// Whether 16-bit integers (full scale 32768) say exactly what the samples (float32, contiguous) are.
bool fits_16_bits(const at::Tensor& samples);

}  // namespace amae
