#include "plugins/data/common/column_maker.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

namespace amae {

TEST_CASE("a column is of numbers only where every cell is one") {
  ColumnMaker numbers, texts, none;
  CHECK_FALSE(none.is_numeric());
  numbers.set(1, " -2.5 ");
  numbers.set(2, "");
  numbers.set(4, "1e3");
  CHECK(numbers.is_numeric());
  const std::vector<double> values = numbers.numbers(6);
  CHECK((std::isnan(values[0]) && values[1] == -2.5 && std::isnan(values[2]) && std::isnan(values[3])));
  CHECK((values[4] == 1000 && std::isnan(values[5])));
  for (const char* cell : {"x", "nan", "inf", "1 2", "0x10", "1,5"}) {
    INFO(cell);
    ColumnMaker mixed;
    mixed.set(0, "1");
    mixed.set(1, cell);
    CHECK_FALSE(mixed.is_numeric());
  }
  texts.set(0, "b");
  texts.set(2, "a");
  texts.set(3, " b");
  CHECK(texts.texts(5).values == std::vector<std::string>{"b", "a"});
  CHECK(texts.texts(5).index == std::vector<int32_t>{0, -1, 1, 0, -1});
}

}  // namespace amae
