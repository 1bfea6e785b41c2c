#include "io/png.h"

#include <fmt/format.h>
#include <png.h>

#include <stdexcept>
#include <string>

#include "base/file.h"

namespace amae {

std::string png_bytes(const at::Tensor& rgb) {
  constexpr int64_t kMaxSide = 30'000;
  if (!rgb.defined() || rgb.dim() != 3 || rgb.size(2) != 3 || rgb.scalar_type() != at::kByte) {
    throw std::invalid_argument("png: expected rgb [H, W, 3] uint8");
  }
  const int64_t height = rgb.size(0), width = rgb.size(1);
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    throw std::invalid_argument(
        fmt::format("png: got {} x {} pixels, expected 1 to {} a side", width, height, kMaxSide));
  }
  const at::Tensor pixels = rgb.cpu().contiguous();
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  // The whole file in memory first: written to its name in one go, and compressed once, not once more for its size.
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  const int wrote =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.const_data_ptr<uint8_t>(), 0, nullptr);
  const std::string message = image.message;
  png_image_free(&image);
  if (wrote == 0) throw std::runtime_error(fmt::format("libpng: {}", message));
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& path, const at::Tensor& rgb) { write_file(path, png_bytes(rgb)); }

}  // namespace amae
