// PNG pictures out.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

namespace amae {

/// The bytes of rgb [H, W, 3] uint8 as an 8-bit RGB PNG. Throws std::invalid_argument for another shape or type, or a
/// side over 30,000 pixels.
std::string png_bytes(const at::Tensor& rgb);

/// Writes them (temporary name, then renamed). Throws EnvironmentError when the disk says no.
void write_png(const std::filesystem::path& path, const at::Tensor& rgb);

}  // namespace amae
