#include "data/split.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "amae/draw.h"
#include "amae/error.h"
#include "tests/data/columns.h"

namespace amae {
namespace {

/// `sizes[c]` rows of each class, classes interleaved by a fixed shuffle; folds 1..5 in turn; groups of 1..4 rows of
/// one class each.
Columns some_rows(const std::vector<int64_t>& sizes) {
  Columns data;
  std::vector<std::pair<int64_t, int64_t>> rows;  // class, group
  Draw draw(7, 0, 0, 0);
  int64_t group = 1000;
  for (size_t c = 0; c < sizes.size(); ++c) {
    data.names.push_back("class" + std::to_string(c));
    int64_t left_in_group = 0;
    for (int64_t i = 0; i < sizes[c]; ++i) {
      if (left_in_group-- == 0) ++group, left_in_group = draw.integer(0, 4);
      rows.emplace_back(static_cast<int64_t>(c), group);
    }
    ++group;
  }
  for (const auto i : draw.permutation(static_cast<int64_t>(rows.size()))) {
    const auto& [label, g] = rows[static_cast<size_t>(i)];
    data.fold.push_back(1 + static_cast<int64_t>(data.label.size()) % 5);
    data.label.push_back(label);
    data.group.push_back(g);
  }
  return data;
}

int64_t count(const Columns& data, const std::vector<int64_t>& rows, int64_t label) {
  return std::count_if(rows.begin(), rows.end(),
                       [&](int64_t r) { return data.label[static_cast<size_t>(r)] == label; });
}

void check_whole(const Dataset& data, const Split& split) {
  std::set<int64_t> rows;
  for (const auto* part : {&split.train, &split.val, &split.test}) {
    CHECK(std::is_sorted(part->begin(), part->end()));
    rows.insert(part->begin(), part->end());
  }
  CHECK(split.train.size() + split.val.size() + split.test.size() == static_cast<size_t>(data.size()));
  REQUIRE(rows.size() == static_cast<size_t>(data.size()));
  CHECK(*rows.begin() == 0);
  CHECK(*rows.rbegin() == data.size() - 1);
}

std::vector<Problem> problems_of(const Dataset& data, const SplitOptions& options) {
  try {
    (void)make_split(data, options, "run.yaml:3:5");
  } catch (const InputError& error) {
    return error.problems();
  }
  FAIL("nothing was thrown");
  return {};
}

bool says(const Problem& problem, const std::string& text) { return problem.message.find(text) != std::string::npos; }

TEST_CASE("a split by fold puts exactly the named folds into test and val") {
  const auto data = some_rows({20, 30, 25});
  const auto split = make_split(data, {.test = {5}, .val = {2, 4}}, "");
  check_whole(data, split);
  for (const auto row : split.test) CHECK(data.fold[static_cast<size_t>(row)] == 5);
  for (const auto row : split.val) CHECK(data.fold[static_cast<size_t>(row)] % 2 == 0);
  for (const auto row : split.train) CHECK(data.fold[static_cast<size_t>(row)] % 2 == 1);
  CHECK(split.test.size() == 15);
  CHECK(fold_numbers(data) == std::vector<int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("a split by ratio gives each class its share to less than one row and all classes the rounded total") {
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{40, 40, 40}, {7, 7, 7, 7, 7, 7}, {1, 2, 3, 100}, {33}}) {
    for (const auto& [test, val] : std::vector<std::pair<double, double>>{{0.2, 0.2}, {0.29, 0}, {0.1, 0.25}}) {
      INFO("classes " << sizes.size() << ", first " << sizes[0] << ", test " << test << ", val " << val);
      const auto data = some_rows(sizes);
      const auto split = make_split(data, {.by = "ratio", .test_ratio = test, .val_ratio = val, .seed = 3}, "");
      check_whole(data, split);
      CHECK(static_cast<int64_t>(split.test.size()) == std::llround(static_cast<double>(data.size()) * test));
      CHECK(static_cast<int64_t>(split.val.size()) == std::llround(static_cast<double>(data.size()) * val));
      for (size_t c = 0; c < sizes.size(); ++c) {
        const auto label = static_cast<int64_t>(c);
        const auto exact = static_cast<double>(sizes[c]);
        CHECK(std::abs(static_cast<double>(count(data, split.test, label)) - exact * test) < 1);
        CHECK(std::abs(static_cast<double>(count(data, split.val, label)) - exact * val) < 1);
        CHECK(count(data, split.train, label) >= 1);
      }
    }
  }
}

TEST_CASE("a split by group never parts a group and keeps the classes near their shares") {
  const std::vector<int64_t> sizes = {40, 40, 60, 24};
  for (int64_t seed = 0; seed < 20; ++seed) {
    INFO("seed " << seed);
    const auto data = some_rows(sizes);
    const auto split = make_split(data, {.by = "group", .test_ratio = 0.2, .val_ratio = 0.2, .seed = seed}, "");
    check_whole(data, split);
    std::map<int64_t, std::set<int>> parts_of_group;
    int part = 0;
    for (const auto* rows : {&split.train, &split.val, &split.test}) {
      for (const auto row : *rows) parts_of_group[data.group[static_cast<size_t>(row)]].insert(part);
      ++part;
    }
    for (const auto& [group, parts] : parts_of_group) CHECK(parts.size() == 1);
    CHECK(leaking_groups(data, split) == 0);
    for (size_t c = 0; c < sizes.size(); ++c) {
      // Groups have at most 4 rows, so a class cannot be expected nearer to its share than that.
      const auto exact = static_cast<double>(sizes[c]) * 0.2;
      CHECK(std::abs(static_cast<double>(count(data, split.test, static_cast<int64_t>(c))) - exact) <= 4);
      CHECK(std::abs(static_cast<double>(count(data, split.val, static_cast<int64_t>(c))) - exact) <= 4);
    }
  }
}

TEST_CASE("a random split depends on its seed and on nothing else") {
  const auto data = some_rows({40, 40, 40});
  for (const char* by : {"ratio", "group"}) {
    INFO(by);
    const auto split = [&](int64_t seed) {
      return make_split(data, {.by = by, .test_ratio = 0.25, .val_ratio = 0, .seed = seed}, "").test;
    };
    CHECK(split(1) == split(1));
    CHECK(split(1) != split(2));
  }
}

TEST_CASE("a random split of one class does not change when another class grows") {
  const auto rows_of_class_0 = [](const Columns& data) {
    std::vector<int64_t> nth;  // which of the class's rows test
    const auto split = make_split(data, {.by = "ratio", .test_ratio = 0.25, .seed = 9}, "");
    int64_t n = 0;
    for (int64_t row = 0; row < data.size(); ++row) {
      if (data.label[static_cast<size_t>(row)] != 0) continue;
      if (std::binary_search(split.test.begin(), split.test.end(), row)) nth.push_back(n);
      ++n;
    }
    return nth;
  };
  CHECK(rows_of_class_0(some_rows({40, 40})) == rows_of_class_0(some_rows({40, 80})));
}

TEST_CASE("a stratified split gives each class and SNR its share to less than one row, and each class too") {
  for (const auto& [test, val] : std::vector<std::pair<double, double>>{{0.2, 0.2}, {0.25, 0.1}, {0.07, 0}}) {
    for (const int64_t per_cell : {1, 2, 7, 20}) {
      INFO("test " << test << ", val " << val << ", rows a cell " << per_cell);
      const auto data = radio_rows(4, 20, per_cell);
      const SplitOptions options{.by = "ratio", .test_ratio = test, .val_ratio = val, .seed = 3, .stratify = {"snr"}};
      const auto split = make_split(data, options, "");
      check_whole(data, split);
      for (const auto& [rows, ratio] : {std::pair(&split.test, test), {&split.val, val}}) {
        CHECK(static_cast<int64_t>(rows->size()) == std::llround(static_cast<double>(data.size()) * ratio));
        for (int64_t c = 0; c < 4; ++c) {
          CHECK(std::abs(static_cast<double>(count(data, *rows, c)) - 20.0 * static_cast<double>(per_cell) * ratio) <
                1);
          for (double snr = -20; snr <= 18; snr += 2) {
            const auto exact = static_cast<double>(per_cell) * ratio;
            CHECK(std::abs(static_cast<double>(cell_count(data, *rows, c, snr)) - exact) < 1);
          }
        }
      }
    }
  }
}

TEST_CASE("a stratified split leaves every class a row to train on, whatever share its cells would give") {
  struct Case {
    int64_t classes, snrs, per_cell;
    double test, val;
  };
  for (const Case& c : {Case{2, 2, 2, 0.35, 0.6}, Case{2, 2, 5, 0.54, 0.4}, Case{3, 2, 2, 0.3, 0.6}}) {
    INFO("classes " << c.classes << ", rows a cell " << c.per_cell << ", test " << c.test << ", val " << c.val);
    const auto data = radio_rows(c.classes, c.snrs, c.per_cell);
    const auto split =
        make_split(data, {.by = "ratio", .test_ratio = c.test, .val_ratio = c.val, .stratify = {"snr"}}, "");
    check_whole(data, split);
    for (int64_t label = 0; label < c.classes; ++label) CHECK(count(data, split.train, label) == 1);
  }
}

TEST_CASE("where a cell's share is a fraction, no SNR is favoured in all classes") {
  // 0.2 rows a cell of one row: each class tests 4 of its 20 SNRs, 40 classes should not all test the same ones.
  const auto data = radio_rows(40, 20, 1);
  const auto split = make_split(data, {.by = "ratio", .test_ratio = 0.2, .stratify = {"snr"}}, "");
  for (double snr = -20; snr <= 18; snr += 2) {
    int64_t at_snr = 0;
    for (int64_t c = 0; c < 40; ++c) at_snr += cell_count(data, split.test, c, snr);
    INFO("snr " << snr);
    CHECK(at_snr > 0);  // 8 expected, deviation 2.5: none at all, or 20, would be one in a thousand
    CHECK(at_snr < 20);
  }
}

TEST_CASE("a cell's random split does not change when other cells grow") {
  const auto tested = [](int64_t snrs) {  // which of the rows of class 1 at -20 dB
    const auto data = radio_rows(2, snrs, 20);
    const auto split = make_split(data, {.by = "ratio", .test_ratio = 0.25, .stratify = {"snr"}}, "");
    std::vector<int64_t> nth;
    int64_t n = 0;
    for (int64_t row = 0; row < data.size(); ++row) {
      const auto i = static_cast<size_t>(row);
      if (data.label[i] != 1 || data.numbers.at("snr")[i] != -20) continue;
      if (std::binary_search(split.test.begin(), split.test.end(), row)) nth.push_back(n);
      ++n;
    }
    return nth;
  };
  CHECK(tested(3).size() == 5);
  CHECK(tested(3) == tested(7));
}

TEST_CASE("rows without a value in a column are a cell of their own, of text columns too") {
  auto data = radio_rows(2, 2, 10);
  for (size_t i = 0; i < data.label.size(); i += 4) data.numbers["snr"][i] = std::nan("");  // class 0 at -20
  data.texts["place"] = {{"sea", "land"}, std::vector<int32_t>(data.label.size(), -1)};
  for (size_t i = 0; i < data.label.size(); i += 2) data.texts["place"].index[i] = static_cast<int32_t>(i / 2 % 2);
  const SplitOptions options{.by = "ratio", .test_ratio = 0.2, .stratify = {"snr", "place"}};
  const auto split = make_split(data, options, "");
  check_whole(data, split);
  const auto none = std::count_if(split.test.begin(), split.test.end(), [](int64_t row) { return row % 4 == 0; });
  CHECK(none == 2);
}

TEST_CASE("a split by group spreads the values of a column too") {
  Columns data;
  data.names = {"a"};
  for (int64_t i = 0; i < 200; ++i) {  // groups of 5 rows of one SNR, of which the last tenth are loud
    data.label.push_back(0);
    data.group.push_back(i / 5);
    data.numbers["snr"].push_back(i < 180 ? 0 : 30);
  }
  const SplitOptions options{.by = "group", .test_ratio = 0.25, .seed = 1, .stratify = {"snr"}};
  const auto split = make_split(data, options, "");
  check_whole(data, split);
  CHECK(cell_count(data, split.test, 0, 30) == 5);
  CHECK(cell_count(data, split.test, 0, 0) == 45);
}

TEST_CASE("columns to stratify by that are not there are refused together, with those that are") {
  auto data = radio_rows(2, 3, 2);
  data.texts["place"] = {{"x"}, std::vector<int32_t>(data.label.size(), 0)};
  const auto problems =
      problems_of(data, {.by = "ratio", .test_ratio = 0.5, .stratify = {"snrs", "snr", "snr", "depth"}});
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].field == "stratify");
  CHECK(problems[0].where == "run.yaml:3:5");
  CHECK(problems[0].message == "got column snrs, expected one of snr (numbers), place (text); did you mean snr?");
  CHECK(problems[1].message == "got column snr twice");
  CHECK(says(problems[2], "got column depth, expected one of snr (numbers), place (text)"));
}

TEST_CASE("rows without labels split by ratio as one class") {
  Columns data;
  data.fold.assign(10, 1);
  const auto split = make_split(data, {.by = "ratio", .test_ratio = 0.3}, "");
  check_whole(data, split);
  CHECK(split.test.size() == 3);
}

TEST_CASE("a fold that does not exist is named with those that do and their counts") {
  const auto data = some_rows({10, 11});
  const auto problems = problems_of(data, {.test = {7}, .val = {0}});
  REQUIRE(problems.size() == 2);
  CHECK(problems[1].code == "SPLIT");
  CHECK(problems[1].where == "run.yaml:3:5");
  CHECK(problems[1].field == "test");
  CHECK(says(problems[1], "got fold 7, expected one of 1 (5 rows), 2 (4 rows)"));
  CHECK(problems[0].field == "val");
}

TEST_CASE("splitting by what the data set lacks is refused") {
  Columns data;
  data.label = {0, 1, 0, 1};
  data.names = {"a", "b"};
  CHECK(says(problems_of(data, {.test = {1}})[0], "no folds"));
  CHECK(says(problems_of(data, {.by = "group", .test_ratio = 0.5})[0], "no groups"));
}

TEST_CASE("a part that was asked for and is empty is refused") {
  const auto data = some_rows({2, 2});
  CHECK(says(problems_of(data, {.by = "ratio", .test_ratio = 0.05})[0], "test is empty (train 4, val 0, test 0 of 4"));
  CHECK(says(problems_of(data, {.by = "ratio", .val_ratio = 0.05})[0], "val is empty"));
  CHECK(says(problems_of(some_rows({10, 10}), {.test = {1, 2, 3}, .val = {4, 5}})[0], "no row is left to train on"));
  Columns one_group;
  one_group.group.assign(6, 1);
  CHECK(says(problems_of(one_group, {.by = "group", .test_ratio = 0.2})[0], "test is empty"));
}

TEST_CASE("a class without a row to train on is named with its counts") {
  Columns data;
  data.names = {"dog", "cat", "owl"};
  data.label = {0, 0, 1, 1, 1, 0};
  data.fold = {1, 2, 3, 3, 2, 1};
  const auto problems = problems_of(data, {.test = {3}, .val = {2}});
  REQUIRE(problems.size() == 2);
  CHECK(says(problems[0], "class cat has no row to train on (train 0, val 1, test 2)"));
  CHECK(says(problems[1], "class owl has no row to train on (train 0, val 0, test 0)"));
}

TEST_CASE("rows with several labels are counted in each of their classes") {
  Columns data;
  data.names = {"a", "b"};
  data.fold = {1, 1, 2};
  data.several = at::tensor({1.0F, 1.0F, 1.0F, 0.0F, 0.0F, 1.0F}).reshape({3, 2});
  CHECK(make_split(data, {.test = {2}}, "").test == std::vector<int64_t>{2});
  const auto problems = problems_of(data, {.test = {1}});
  REQUIRE(problems.size() == 1);
  CHECK(says(problems[0], "class a has no row to train on (train 0, val 0, test 2)"));
}

TEST_CASE("groups leak when rows of one class and group both train and test") {
  Columns data;
  data.names = {"a", "b"};
  data.label = {0, 0, 0, 1, 1, 1};
  data.group = {1, 1, 2, 2, 3, 3};
  CHECK(leaking_groups(data, {{0, 2, 4}, {}, {1, 3, 5}}) == 2);  // 1 and 3; 2 has other classes on either side
  CHECK(leaking_groups(data, {{0, 2, 4}, {5}, {1, 3}}) == 2);
  CHECK(leaking_groups(data, {{0, 1, 2}, {}, {3, 4, 5}}) == 0);
  data.group.clear();
  CHECK(leaking_groups(data, {{0}, {}, {1}}) == 0);
}

TEST_CASE("options that contradict each other or would be ignored are refused together") {
  const auto fields = [](const SplitOptions& options) {
    std::vector<std::string> names;
    try {
      options.check();
    } catch (const InputError& error) {
      for (const auto& problem : error.problems()) names.push_back(problem.field);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(fields({.test = {1}, .val = {2}}).empty());
  CHECK(fields({.by = "ratio", .test_ratio = 0.5, .val_ratio = 0.4}).empty());
  CHECK(fields({.test = {1}, .stratify = {"snr"}, .labels = 0.1, .labels_seed = 3}).empty());
  CHECK(fields({.test = {1, 2}, .val = {2}, .val_ratio = 0.1}) == Names{"val_ratio", "val"});
  CHECK(fields({.test = {1}, .stratify = {"snr"}}) == Names{"stratify"});
  CHECK(fields({.test = {1}, .labels = 0}) == Names{"labels"});
  CHECK(fields({.test = {1}, .labels_seed = 3}) == Names{"labels_seed"});
  CHECK(fields({.by = "group", .test = {1}, .test_ratio = 0.5, .val_ratio = 0.5}) == Names{"test", "test_ratio"});
}

}  // namespace
}  // namespace amae
