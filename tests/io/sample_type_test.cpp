#include "io/sample_type.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>
#include <vector>

using namespace amae;

namespace {

using Kind = SampleType::Kind;

std::vector<float> converted(const SampleType& type, const std::string& bytes, size_t step, int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  to_float32(type, bytes.data(), step, count, out.data());
  return out;
}

}  // namespace

TEST_CASE("integers become fractions of full scale, the lowest -1 and the middle 0") {
  const std::string bytes("\x80\x00\x7f\x40", 4);
  CHECK(converted({Kind::signed_integer, 1, false, false}, bytes, 1, 4) ==
        std::vector<float>{-1, 0, 127.0F / 128, 0.5F});
  CHECK(converted({Kind::unsigned_integer, 1, false, false}, bytes, 1, 4) ==
        std::vector<float>{0, -1, -1.0F / 128, -0.5F});
  const std::string wide("\x00\x00\x00\x00\x00\x00\x00\x80", 8);
  CHECK(converted({Kind::signed_integer, 8, false, false}, wide, 8, 1)[0] == -1);
  CHECK(converted({Kind::unsigned_integer, 8, false, false}, wide, 8, 1)[0] == 0);
  CHECK(converted({Kind::unsigned_integer, 4, false, false}, std::string(4, '\xff'), 4, 1)[0] == 1);  // rounded up
}

TEST_CASE("big-endian numbers, half precision and steps over other channels are read") {
  CHECK(converted({Kind::signed_integer, 2, false, true}, std::string("\xc0\x00\x40\x00", 4), 2, 2) ==
        std::vector<float>{-0.5F, 0.5F});
  CHECK(converted({Kind::floating, 4, false, true}, std::string("\x3f\x80\x00\x00", 4), 4, 1)[0] == 1);
  CHECK(converted({Kind::floating, 2, false, false}, std::string("\x00\x3c\x00\xc0", 4), 2, 2) ==
        std::vector<float>{1, -2});
  const double third = 1.0 / 3;
  std::string bytes(sizeof(third), '\0');
  std::memcpy(bytes.data(), &third, sizeof(third));
  CHECK(converted({Kind::floating, 8, false, false}, bytes, 8, 1)[0] == static_cast<float>(third));
  CHECK(converted({Kind::signed_integer, 1, true, false}, std::string("\x40xy\xc0", 4), 3, 2) ==
        std::vector<float>{0.5F, -0.5F});
}
