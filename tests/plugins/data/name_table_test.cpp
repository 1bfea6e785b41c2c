#include "plugins/data/common/name_table.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace amae {
namespace {

TEST_CASE("a hundred thousand names keep their numbers, and one that is not there has none") {
  NameTable names;
  CHECK(names.find("0") == NameTable::kNone);
  for (uint32_t round = 0; round < 2; ++round) {
    bool right = true;
    for (uint32_t i = 0; i < 100'000; ++i) right = right && names.add("name " + std::to_string(i)) == i;
    CHECK(right);
  }
  CHECK(names.size() == 100'000);
  CHECK(names[0] == "name 0");
  CHECK(names[99'999] == "name 99999");
  CHECK(names.find("name 500") == 500);
  CHECK(names.find("name") == NameTable::kNone);
  CHECK(names.add("") == 100'000);
  CHECK(names[100'000].empty());
  CHECK(names.find("") == 100'000);
}

}  // namespace
}  // namespace amae
