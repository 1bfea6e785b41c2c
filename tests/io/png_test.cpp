#include "io/png.h"

#include <png.h>

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "base/file.h"
#include "tests/base/support.h"

using namespace amae;

namespace {

/// The picture as libpng's own reader sees it: [H, W, 3] uint8.
at::Tensor read_back(const std::filesystem::path& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_file(&image, path.c_str()) != 0);
  CHECK(image.format == PNG_FORMAT_RGB);  // as stored: 8 bits, no alpha, no palette
  at::Tensor rgb = at::empty({image.height, image.width, 3}, at::kByte);
  REQUIRE(png_image_finish_read(&image, nullptr, rgb.mutable_data_ptr<uint8_t>(), 0, nullptr) != 0);
  return rgb;
}

}  // namespace

TEST_CASE("a PNG holds exactly the pixels that were given") {
  const TemporaryFolder folder;
  const at::Tensor rgb = at::randint(0, 256, {31, 47, 3}, at::kByte);
  write_png(folder.path() / "a.png", rgb);
  CHECK(read_back(folder.path() / "a.png").equal(rgb));
  write_png(folder.path() / "a.png", rgb.flip({1}));  // not contiguous, over an existing file
  CHECK(read_back(folder.path() / "a.png").equal(rgb.flip({1})));
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a.png"});  // no temporary file is left
}

TEST_CASE("other shapes and types than RGB bytes are refused") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.png";
  CHECK_THROWS_AS(write_png(path, at::Tensor()), std::invalid_argument);
  CHECK_THROWS_AS(write_png(path, at::zeros({4, 4, 3})), std::invalid_argument);
  CHECK_THROWS_AS(write_png(path, at::zeros({4, 4}, at::kByte)), std::invalid_argument);
  CHECK_THROWS_AS(write_png(path, at::zeros({4, 0, 3}, at::kByte)), std::invalid_argument);
  CHECK_THROWS_AS(write_png(path, at::zeros({1, 30'001, 3}, at::kByte)), std::invalid_argument);
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a folder that cannot be written is an error of the environment, with the path") {
  const Problem problem = refusal<EnvironmentError>([] {
    write_png("/proc/nowhere/a.png", at::zeros({2, 2, 3}, at::kByte));
  });
  CHECK(contains(problem.line(), "/proc/nowhere/a.png"));
}
