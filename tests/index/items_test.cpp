#include "index/items.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <stdexcept>

#include "amae/draw.h"
#include "io/csv.h"
#include "tests/problems.h"

using namespace amae;

namespace {

using Cells = std::vector<std::string>;
using Rows = std::vector<int64_t>;

Items table(const std::string& text) { return {text, "items.csv"}; }

Rows rows_where(const Items& items, const std::vector<std::string>& conditions) {
  return Filter(conditions).rows(items);
}

struct Relation {
  std::string column, relation, value;
};

bool as_number(const std::string& text, double& number) {
  char* end = nullptr;
  number = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

bool holds(const Relation& r, const std::string& cell) {
  double x = 0, y = 0;
  const bool numbers = as_number(cell, x) && as_number(r.value, y);
  if (r.relation == "=") return numbers ? x == y : cell == r.value;
  if (r.relation == "!=") return numbers ? x != y : cell != r.value;
  return numbers && (r.relation == "<" ? x < y : r.relation == "<=" ? x <= y : r.relation == ">" ? x > y : x >= y);
}

}  // namespace

TEST_CASE("cells come back as they were written: quotes, commas and line breaks too") {
  const std::vector<Cells> rows = {
      {"a", "dog", "1"}, {"b,c", "say \"woof\"", ""}, {"two\nlines", "\"", "\"\""},
      {"", "", ""},      {" blank ", "\r\n,", "3"},   {"last", "Größe", "a\"b,c\nd"},
  };
  std::string text = csv_line({"id", "label", "the \"fold\", or none"});
  for (const Cells& cells : rows) text += csv_line(cells);
  const Items items = table(text);
  CHECK(items.columns() == Cells{"id", "label", "the \"fold\", or none"});
  REQUIRE(items.rows() == 6);
  for (int64_t row = 0; row < 6; ++row) {
    const Cells& expected = rows[static_cast<size_t>(row)];
    CHECK(items.cells(row) == expected);
    for (size_t column = 0; column < 3; ++column) CHECK(items.cell(row, column) == expected[column]);
    CHECK(std::string(items.text(row)) + "\n" == csv_line(expected));
  }
  CHECK_THROWS_AS(items.cells(6), std::out_of_range);
  CHECK_THROWS_AS(items.text(-1), std::out_of_range);
}

TEST_CASE("a row with fewer cells has empty ones, and the last line needs no line break") {
  const Items items = table("id,label,fold\na\nb,dog\nc,dog,\n\n\"d\",cat,3");
  REQUIRE(items.rows() == 5);
  CHECK(items.cells(0) == Cells{"a", "", ""});
  CHECK(items.cells(1) == Cells{"b", "dog", ""});
  CHECK(items.cells(2) == Cells{"c", "dog", ""});
  CHECK(items.cells(3) == Cells{"", "", ""});
  CHECK(items.cells(4) == Cells{"d", "cat", "3"});
  CHECK(items.cell(0, 2).empty());
  CHECK(rows_where(items, {"fold="}) == Rows{0, 1, 2, 3});
  CHECK(table("id,label\n").rows() == 0);
}

TEST_CASE("find gives the first row with that cell, whole and unquoted, or none") {
  const Items items = table("id,label\nab,dog\na,dog\n\"a,b\",cat\na,cat\n,\n");
  const size_t id = items.column("id"), label = items.column("label");
  CHECK(items.find(id, "a") == 1);
  CHECK(items.find(id, "a,b") == 2);
  CHECK(items.find(id, "") == 4);
  CHECK(items.find(id, "b") == -1);
  CHECK(items.find(label, "cat") == 2);
  CHECK(items.find(label, "do") == -1);
}

TEST_CASE("a table without a header row or with an open quote is refused by its name") {
  for (const std::string text : {"", "id,label\na,\"dog\n", "\"id\nlabel\n"}) {
    INFO(text);
    const Problem problem = only_problem([&] { table(text); });
    CHECK(problem.code == "STORE");
    CHECK(problem.where == "items.csv");
  }
}

TEST_CASE("an unknown column is refused with the nearest and with all that exist") {
  const Items items = table("id,label,fold\na,dog,1\n");
  CHECK(items.has("label"));
  CHECK_FALSE(items.has("lable"));
  const Problem problem = only_problem([&] { static_cast<void>(items.column("lable", "--color")); });
  CHECK(problem.code == "COLUMN");
  CHECK(problem.field == "--color");
  CHECK(contains(problem.message, "'lable'"));
  CHECK(contains(problem.message, "id, label, fold"));
  CHECK(contains(problem.message, "did you mean label?"));
  CHECK_FALSE(contains(only_problem([&] { static_cast<void>(items.column("z\n")); }).message, "did you mean"));
}

TEST_CASE("conditions on one column with = are any of them, all others must hold") {
  const Items items = table("id,label,fold,snr\na,dog,1,-10\nb,cat,2,0\nc,dog,2,10\nd,\"a,b\",3,\ne,10,1.0,1e1\n");
  CHECK(rows_where(items, {}) == Rows{0, 1, 2, 3, 4});
  CHECK(Filter({}).empty());
  CHECK(rows_where(items, {"label=dog"}) == Rows{0, 2});
  CHECK(rows_where(items, {"label=dog", "label=cat"}) == Rows{0, 1, 2});
  CHECK(rows_where(items, {"label=dog", "fold=2"}) == Rows{2});
  CHECK(rows_where(items, {"label=dog", "label=cat", "fold=2", "snr>5"}) == Rows{2});
  CHECK(rows_where(items, {"label!=dog", "label!=cat"}) == Rows{3, 4});
  CHECK(rows_where(items, {"label=dog", "label!=dog"}).empty());
  CHECK(rows_where(items, {"snr>=-10", "snr<10"}) == Rows{0, 1});
  CHECK(rows_where(items, {"label=a,b"}) == Rows{3});
  CHECK(rows_where(items, {"label==cat"}) == Rows{1});
  CHECK(Filter({"label=dog", "fold=2"}).text() == "label=dog, fold=2");
}

TEST_CASE("numbers compare as numbers, text exactly, and an empty cell with nothing") {
  const Items items = table("id,label,snr\na,Dog,1\nb,dog,1.0\nc,dog ,-2\nd,2x,10\ne,,\n");
  CHECK(rows_where(items, {"snr=1"}) == Rows{0, 1});
  CHECK(rows_where(items, {"snr=10e-1"}) == Rows{0, 1});
  CHECK(rows_where(items, {"snr!=1"}) == Rows{2, 3, 4});
  CHECK(rows_where(items, {"snr>9"}) == Rows{3});  // as text "10" is below "9"
  CHECK(rows_where(items, {"snr<=1"}) == Rows{0, 1, 2});
  CHECK(rows_where(items, {"snr>-1e9"}) == Rows{0, 1, 2, 3});
  CHECK(rows_where(items, {"snr="}) == Rows{4});
  CHECK(rows_where(items, {"label=dog"}) == Rows{1});
  CHECK(rows_where(items, {"label=2"}).empty());
  CHECK(rows_where(items, {"label>1"}).empty());
}

TEST_CASE("labels that from_chars takes for numbers are still the text that they are") {
  const Items items = table("id,label\na,nan\nb,inf\nc,dog\n");
  CHECK(rows_where(items, {"label=nan"}) == Rows{0});
  CHECK(rows_where(items, {"label!=nan"}) == Rows{1, 2});
  CHECK(rows_where(items, {"label=inf"}) == Rows{1});
}

TEST_CASE("what is no condition, or of no column, is refused at --where") {
  for (const std::string text : {"", "label", "=dog", "label!dog", "!", "snr>loud", "snr<", "snr<>1", "snr>=="}) {
    INFO(text);
    const Problem problem = only_problem([&] { Filter filter({"fold=1", text}); });
    CHECK(problem.code == "USAGE");
    CHECK(problem.field == "--where");
    CHECK(contains(problem.message, "'" + text + "'"));
  }
  const Items items = table("id,label\na,dog\n");
  const Problem problem = only_problem([&] { rows_where(items, {"id=a", "labels=dog"}); });
  CHECK(problem.field == "--where");
  CHECK(contains(problem.message, "did you mean label?"));
}

TEST_CASE("a filter gives the same rows as a look at every cell") {
  const Cells labels = {"dog", "cat", "a,b", "say \"x\"", "two\nlines", "7", "7.0", ""};
  const Cells folds = {"1", "2", "3", "1.0", ""}, snrs = {"-10", "0", "2.5", "1e1", "10", "n/a", ""};
  const Cells columns = {"id", "label", "fold", "snr"};
  const std::array<std::string, 6> relations = {"=", "=", "!=", "<", "<=", ">="};
  Draw draw(5, 0, 0, 0);
  const auto one_of = [&](const auto& list) { return list[static_cast<size_t>(draw.integer(0, std::ssize(list)))]; };
  std::vector<Cells> rows;
  std::string text = csv_line(columns);
  for (int i = 0; i < 2000; ++i) {
    rows.push_back({"row" + std::to_string(i), one_of(labels), one_of(folds), one_of(snrs)});
    text += csv_line(rows.back());
  }
  const Items items = table(text);
  REQUIRE(items.rows() == 2000);
  int64_t found = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Relation> conditions;
    std::vector<std::string> texts;
    for (int64_t i = draw.integer(1, 5); i > 0; --i) {
      Relation r{columns[static_cast<size_t>(draw.integer(1, 4))], one_of(relations), ""};
      const bool is_order = r.relation != "=" && r.relation != "!=";
      r.value = is_order ? one_of(Cells{"-10", "0", "2", "10.0"}) : one_of(one_of(std::array{labels, folds, snrs}));
      texts.push_back(r.column + r.relation + r.value);
      conditions.push_back(r);
    }
    Rows expected;
    for (size_t row = 0; row < rows.size(); ++row) {
      bool fits = true;
      for (size_t column = 0; column < columns.size(); ++column) {
        bool has_any = false, any = false;
        for (const Relation& r : conditions) {
          if (r.column != columns[column]) continue;
          const bool is_true = holds(r, rows[row][column]);
          if (r.relation == "=") has_any = true;
          if (r.relation == "=") any = any || is_true;
          if (r.relation != "=") fits = fits && is_true;
        }
        fits = fits && (!has_any || any);
      }
      if (fits) expected.push_back(static_cast<int64_t>(row));
    }
    INFO(Filter(texts).text());
    CHECK(rows_where(items, texts) == expected);
    found += std::ssize(expected);
  }
  CHECK(found > 10'000);  // the conditions are no empty ones
}
