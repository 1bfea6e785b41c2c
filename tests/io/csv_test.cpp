#include "io/csv.h"

#include <catch2/catch_test_macros.hpp>

#include "amae/error.h"
#include "base/file.h"

using namespace amae;

namespace {

class CsvFolder {
 public:
  CsvTable read(const std::string& content) const {
    write_file(path(), content);
    return CsvTable::read(path());
  }
  /// What the refusal says: "WHERE: FIELD: MESSAGE" without the folder.
  std::string refusal(const std::string& content) const {
    try {
      read(content);
    } catch (const InputError& error) {
      const Problem& problem = error.problems().at(0);
      CHECK(problem.code == "CSV");
      const auto name = problem.where.rfind("t.csv");
      REQUIRE(name != std::string::npos);
      return problem.where.substr(name) + ": " + problem.field + ": " + problem.message;
    }
    FAIL("nothing was refused");
    return "";
  }
  std::filesystem::path path() const { return folder_.path() / "t.csv"; }

 private:
  TemporaryFolder folder_;
};

bool starts(const std::string& text, const std::string& start) {
  INFO(text);
  CHECK(text.starts_with(start));
  return text.starts_with(start);
}

using Cells = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(CsvFolder, "BOM, CRLF, lone CR, no final newline and trailing blanks give the same table") {
  for (const char* content :
       {"a,b\n1,2\n3,4\n",
        "\xEF\xBB\xBF"
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\n1,2\n3,4", "a,b\n1,2\n3,4\n\n  \n\t\n"}) {
    INFO(content);
    const CsvTable table = read(content);
    REQUIRE(table.rows().size() == 2);
    CHECK(table.column("a") == 0);
    CHECK(table.column("b") == 1);
    CHECK(table.rows()[0].cells == Cells{"1", "2"});
    CHECK(table.rows()[1].cells == Cells{"3", "4"});
    CHECK(table.rows()[0].line == 2);
    CHECK(table.rows()[1].line == 3);
  }
}

TEST_CASE_METHOD(CsvFolder, "quoted commas, quotes and newlines belong to the cell, and lines are still counted") {
  const CsvTable table = read("a,b\n\"1,5\",\"say \"\"hi\"\"\"\n\"two\r\nlines\rand\nmore\",\"\"\nlast,\xC3\xA9\n");
  REQUIRE(table.rows().size() == 3);
  CHECK(table.rows()[0].cells == Cells{"1,5", "say \"hi\""});
  CHECK(table.rows()[1].cells == Cells{"two\r\nlines\rand\nmore", ""});
  CHECK(table.rows()[1].line == 3);
  CHECK(table.rows()[2].cells == Cells{"last", "\xC3\xA9"});
  CHECK(table.rows()[2].line == 7);
}

TEST_CASE_METHOD(CsvFolder, "a header alone is an empty table; empty cells are kept") {
  CHECK(read("a,b\n").rows().empty());
  CHECK(read("a,b\n,\n").rows().at(0).cells == Cells{"", ""});
  CHECK(read("a\nx\n\ny\n").rows().size() == 3);
}

TEST_CASE_METHOD(CsvFolder, "every malformed table is refused at its line") {
  starts(refusal(""), "t.csv:1: : got no header");
  starts(refusal(" \n\n"), "t.csv:1: : got no header");
  starts(refusal("a,b\n1,2\n1\n"), "t.csv:3: : got 1 cells, expected 2 (a, b)");
  starts(refusal("a,b\n1,2,3\n"), "t.csv:2: : got 3 cells, expected 2 (a, b)");
  starts(refusal("a,b\n\n1,2\n"), "t.csv:2: : got 1 cells");
  starts(refusal("a,b,a\n1,2,3\n"), "t.csv:1: a: got this column name for columns 1 and 3");
  starts(refusal("a,b\n1,2\n\"open,3\n4,5\n"), "t.csv:3: : got a quote that is never closed");
  starts(refusal("a,b\n\"x\"y,2\n"), "t.csv:2: : got text after a closing quote");
  starts(refusal("a,b\n5\" pipe,2\n"), "t.csv:2: : got a quote inside an unquoted field");
  starts(refusal("a\n" + std::string((1U << 20U) + 1, 'x')), "t.csv:2: : got a field over 1 MiB");
  starts(refusal("a\n\"" + std::string((1U << 20U) + 1, 'x') + "\""), "t.csv:2: : got a field over 1 MiB");
  CHECK(read("a\n" + std::string(1U << 20U, 'x')).rows().size() == 1);
  CHECK(read("a\n\"" + std::string(1U << 20U, 'x') + "\"").rows().size() == 1);
}

TEST_CASE_METHOD(CsvFolder, "text that is not UTF-8 is refused with the byte offset") {
  starts(refusal("a,b\n1,caf\xE9\n"), "t.csv:2: : got a byte that is not UTF-8 at byte offset 9");
  for (const char* bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xF0\x80\x80\x80"}) {
    starts(refusal(std::string("a\n") + bad), "t.csv:2: : got a byte that is not UTF-8 at byte offset 2");
  }
  const std::string utf16 =
      refusal(std::string("\xFF\xFE"
                          "a\0",
                          4));
  CHECK(utf16.find("UTF-16") != std::string::npos);
  CHECK(read("a\n\xF0\x9F\x90\xB6\xE2\x82\xAC\n").rows().size() == 1);
}

TEST_CASE_METHOD(CsvFolder, "a missing file or column is refused by name") {
  CHECK_THROWS_AS(CsvTable::read(path()), InputError);
  const CsvTable table = read("filename,fold\nx,1\n");
  CHECK(table.has("fold"));
  CHECK_FALSE(table.has("Fold"));
  try {
    static_cast<void>(table.column("filenam"));
    FAIL("nothing was refused");
  } catch (const InputError& error) {
    CHECK(error.problems().at(0).field == "filenam");
    CHECK(error.problems().at(0).message.find("filename, fold; did you mean filename?") != std::string::npos);
  }
}

TEST_CASE_METHOD(CsvFolder, "what csv_line writes reads back cell by cell") {
  CHECK(csv_line({"a", "b c", "1"}) == "a,b c,1\n");
  CHECK(csv_line({"a,b", "say \"x\""}) == "\"a,b\",\"say \"\"x\"\"\"\n");
  const std::vector<Cells> rows = {
      {"plain", ""}, {"com,ma", "qu\"ote"}, {"new\nline", "\r"}, {" pad ", "\xC3\xA9"}, {"", ""}};
  std::string content = csv_line({"x", "y"});
  for (const auto& row : rows) content += csv_line(row);
  const CsvTable table = read(content);
  REQUIRE(table.rows().size() == rows.size());
  for (size_t i = 0; i < rows.size(); ++i) CHECK(table.rows()[i].cells == rows[i]);
  CHECK(read("x\n" + csv_line({""})).rows().size() == 1);  // not lost as a trailing blank line
}
