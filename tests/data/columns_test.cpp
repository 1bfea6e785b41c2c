#include "data/columns.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "tests/data/columns.h"
#include "tests/problems.h"

namespace amae {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kNoNoise = std::numeric_limits<double>::infinity();

Columns eight_rows() {
  Columns data;
  data.names = {"a", "b"};
  data.label = {0, 0, 0, 0, 1, 1, 1, 1};
  data.numbers["snr"] = {4, -2, kNone, kNoNoise, 4, -0.0, 0.0, -2};
  data.texts["place"] = {{"sea", "unused", "land"}, {2, 0, -1, 2, 2, 0, 0, 0}};
  return data;
}

std::vector<std::string> column_problems(const Dataset& data, const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems_of([&] { column_values(data, names, "a.yaml:1:2", "eval.slices"); }))
    lines.push_back(problem.line());
  return lines;
}

TEST_CASE("a column's values come in order, numbers by size and texts by bytes, and a row may have none") {
  const auto columns = column_values(eight_rows(), {"snr", "place"}, "", "");
  REQUIRE(columns.size() == 2);
  CHECK(columns[0].is_numeric);
  CHECK(columns[0].numbers == std::vector<double>{-2, 0, 4, kNoNoise});
  CHECK(columns[0].texts == std::vector<std::string>{"-2", "0", "4", "inf"});
  CHECK(columns[0].index == std::vector<int32_t>{2, 0, -1, 3, 2, 1, 1, 0});
  CHECK_FALSE(columns[1].is_numeric);
  CHECK(columns[1].texts == std::vector<std::string>{"land", "sea"});
  CHECK(columns[1].numbers.empty());
  CHECK(columns[1].index == std::vector<int32_t>{0, 1, -1, 0, 0, 1, 1, 1});
}

TEST_CASE("a column that is unknown, named twice or of too many values is refused with the option's place") {
  auto data = eight_rows();
  CHECK(column_problems(data, {"snr", "place"}).empty());
  CHECK(column_problems(data, {"plaice", "snr", "snr"}) ==
        std::vector<std::string>{"error[COLUMN]: a.yaml:1:2: eval.slices: got column plaice, expected one of snr "
                                 "(numbers), place (text); did you mean place?",
                                 "error[COLUMN]: a.yaml:1:2: eval.slices: got column snr twice"});
  Columns bare;
  bare.label = {0, 1};
  CHECK(contains(column_problems(bare, {"snr"}).at(0), "got column snr, but the data set has no columns"));
  Columns many;
  many.label.assign(2'000, 0);
  for (int i = 0; i < 2'000; ++i) many.numbers["time"].push_back(i);
  CHECK(contains(column_problems(many, {"time"}).at(0), "got column time of more than 1000 distinct values"));
}

TEST_CASE("the columns to slice by are those of few values that say more than the class") {
  Columns data = radio_rows(3, 4, 10);
  const auto rows = data.label.size();
  data.numbers["constant"].assign(rows, 1);
  for (size_t i = 0; i < rows; ++i) {
    data.numbers["row"].push_back(static_cast<double>(i));
    data.numbers["target"].push_back(static_cast<double>(7 - data.label[i]));  // the class by another name
    data.texts["modulation"].index.push_back(static_cast<int32_t>(data.label[i]));
    data.texts["band"].index.push_back(static_cast<int32_t>(data.label[i] / 2));  // two classes in one
  }
  data.texts["modulation"].values = {"x", "y", "z"};
  data.texts["band"].values = {"low", "high"};
  const auto names = [&](size_t most) {
    std::vector<std::string> list;
    for (const ColumnValues& column : columns_for_slices(data, most)) list.push_back(column.name);
    return list;
  };
  CHECK(names(100) == std::vector<std::string>{"band", "snr"});
  CHECK(names(3) == std::vector<std::string>{"band"});
  CHECK(columns_for_slices(radio_rows(1, 4, 5), 100).size() == 1);
  CHECK(columns_for_slices(radio_rows(1, 4, 4), 100).empty());  // four rows a value
  Columns uneven = radio_rows(1, 4, 6);
  uneven.numbers["snr"][0] = -18;  // 5, 7, 6, 6
  CHECK(columns_for_slices(uneven, 100).size() == 1);
  uneven.numbers["snr"][4] = -18;  // 4, 8, 6, 6: six rows a value on average
  CHECK(columns_for_slices(uneven, 100).empty());
}

}  // namespace
}  // namespace amae
