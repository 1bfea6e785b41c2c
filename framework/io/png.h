// PNG pictures out.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>

namespace amae {

/// Writes rgb [H, W, 3] uint8 as an 8-bit RGB PNG (temporary name, then renamed). Throws EnvironmentError when the disk
/// says no; std::invalid_argument for another shape or type, or a side over 30,000 pixels.
void write_png(const std::filesystem::path& path, const at::Tensor& rgb);

}  // namespace amae
