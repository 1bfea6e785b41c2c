#include "io/csv.h"

#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/file.h"

using namespace amae;

namespace {

using Cells = std::vector<std::string>;

struct Row {
  int64_t line = 0;
  Cells cells;
};

class CsvFolder {
 public:
  std::vector<Row> rows(const std::string& content) const {
    write_file(path(), content);
    std::vector<Row> all;
    CsvReader table(path());
    while (table.next()) all.push_back({table.line(), {table.cells().begin(), table.cells().end()}});
    return all;
  }
  /// What the refusal says: "WHERE: FIELD: MESSAGE" without the folder.
  std::string refusal(const std::string& content) const {
    try {
      rows(content);
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

/// Most memory that this process ever held, in MiB.
int64_t peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

constexpr size_t kMiB = size_t{1} << 20U;

}  // namespace

TEST_CASE_METHOD(CsvFolder, "BOM, CRLF, lone CR, no final newline and trailing blanks give the same table") {
  for (const char* content : {"a,b\n1,2\n3,4\n",
                              "\xEF\xBB\xBF"
                              "a,b\n1,2\n3,4\n",
                              "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\n1,2\n3,4", "a,b\n1,2\n3,4\n\n  \n\t\n",
                              " a,b \n1,2\n3,4 \n"}) {
    INFO(content);
    const auto table = rows(content);
    REQUIRE(table.size() == 2);
    CHECK(CsvReader(path()).header() == Cells{"a", "b"});
    CHECK(table[0].cells == Cells{"1", "2"});
    CHECK(table[1].cells == Cells{"3", "4"});
    CHECK(table[0].line == 2);
    CHECK(table[1].line == 3);
  }
}

TEST_CASE_METHOD(CsvFolder, "quoted commas, quotes and newlines belong to the cell, and lines are still counted") {
  const auto table = rows("a,b\n\"1,5\",\"say \"\"hi\"\"\"\n\"two\r\nlines\rand\nmore\",\"\"\nlast,\xC3\xA9\n");
  REQUIRE(table.size() == 3);
  CHECK(table[0].cells == Cells{"1,5", "say \"hi\""});
  CHECK(table[1].cells == Cells{"two\r\nlines\rand\nmore", ""});
  CHECK(table[1].line == 3);
  CHECK(table[2].cells == Cells{"last", "\xC3\xA9"});
  CHECK(table[2].line == 7);
}

TEST_CASE_METHOD(CsvFolder, "a header alone is an empty table; empty cells are kept") {
  CHECK(rows("a,b\n").empty());
  CHECK(rows("a,b\n,\n").at(0).cells == Cells{"", ""});
  CHECK(rows("a\nx\n\ny\n").size() == 3);
}

TEST_CASE_METHOD(CsvFolder, "every malformed table is refused at its line") {
  starts(refusal(""), "t.csv:1: : got no header");
  starts(refusal(" \n\n"), "t.csv:1: : got no header");
  starts(refusal("\xEF\xBB\xBF"), "t.csv:1: : got no header");
  starts(refusal("a,b\n1,2\n1\n"), "t.csv:3: : got 1 cells, expected 2 (a, b)");
  starts(refusal("a,b\n1,2,3\n"), "t.csv:2: : got 3 cells, expected 2 (a, b)");
  starts(refusal("a,b\n\n1,2\n"), "t.csv:2: : got 1 cells");
  starts(refusal("a,b,a\n1,2,3\n"), "t.csv:1: a: got this column name for columns 1 and 3");
  starts(refusal("a,b\n1,2\n\"open,3\n4,5\n"), "t.csv:3: : got a quote that is never closed");
  starts(refusal("a,b\n\"x\"y,2\n"), "t.csv:2: : got text after a closing quote");
  starts(refusal("a,b\n5\" pipe,2\n"), "t.csv:2: : got a quote inside an unquoted field");
  starts(refusal("a\n" + std::string(kMiB + 1, 'x')), "t.csv:2: : got a field over 1 MiB");
  starts(refusal("a\n\"" + std::string(kMiB + 1, 'x') + "\""), "t.csv:2: : got a field over 1 MiB");
  CHECK(rows("a\n" + std::string(kMiB, 'x')).size() == 1);
  CHECK(rows("a\n\"" + std::string(kMiB, 'x') + "\"").size() == 1);
  starts(refusal(std::string(10'001, ',')), "t.csv:1: : got more than 10000 cells");
  std::string wide_header = "a", wide_row = std::string(kMiB - 1, 'x');
  for (int i = 0; i < 20; ++i) wide_header += ",a" + std::to_string(i), wide_row += "," + std::string(kMiB - 1, 'x');
  starts(refusal(wide_header + "\n" + wide_row), "t.csv:2: : got a row over 16 MiB");
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
  CHECK(rows("a\n\xF0\x9F\x90\xB6\xE2\x82\xAC\n").size() == 1);
  // Beyond the first block, and after lone CRs.
  starts(refusal("a\r" + std::string(400'000, 'x') + "\r" + "caf\xE9"),
         "t.csv:3: : got a byte that is not UTF-8 at byte offset 400006");
}

TEST_CASE_METHOD(CsvFolder, "a missing file or column is refused by name") {
  CHECK_THROWS_AS(CsvReader(path()), InputError);
  rows("filename,fold\nx,1\n");
  const CsvReader table(path());
  CHECK(table.has("fold"));
  CHECK_FALSE(table.has("Fold"));
  CHECK(table.column("fold") == 1);
  try {
    static_cast<void>(table.column("filenam"));
    FAIL("nothing was refused");
  } catch (const InputError& error) {
    CHECK(error.problems().at(0).where == path().string() + ":1");
    CHECK(error.problems().at(0).field == "filenam");
    CHECK(error.problems().at(0).message.find("filename, fold; did you mean filename?") != std::string::npos);
  }
}

TEST_CASE_METHOD(CsvFolder, "what csv_line writes reads back cell by cell") {
  CHECK(csv_line({"a", "b c", "1"}) == "a,b c,1\n");
  CHECK(csv_line({"a,b", "say \"x\""}) == "\"a,b\",\"say \"\"x\"\"\"\n");
  const std::vector<Cells> written = {
      {"plain", ""}, {"com,ma", "qu\"ote"}, {"new\nline", "\r"}, {" pad ", "\xC3\xA9"}, {"", ""}, {"", "\t"}};
  std::string content = csv_line({"x", "y"});
  for (const auto& row : written) content += csv_line(row);
  const auto table = rows(content);
  REQUIRE(table.size() == written.size());
  for (size_t i = 0; i < written.size(); ++i) CHECK(table[i].cells == written[i]);
  CHECK(rows("x\n" + csv_line({""})).size() == 1);  // not lost as a trailing blank line
}

TEST_CASE_METHOD(CsvFolder, "rows are the same wherever the blocks of the file end") {
  // 3 MB of cells with every special character, in lengths that put each on some border of the reader's blocks.
  Draw draw(7, 0, 0, 0);
  const std::vector<std::string> parts = {"x",  "\"", ",", "\n", "\r\n", "\r", "\xC3\xA9", "\xF0\x9F\x90\xB6",
                                          "yy", " z"};
  std::vector<Cells> written;
  std::string content = csv_line({"a", "b", "c"});
  while (content.size() < 3'000'000) {
    Cells row(3);
    for (auto& cell : row) {
      for (int64_t i = draw.integer(0, 40); i > 0; --i) cell += parts[static_cast<size_t>(draw.integer(0, 10))];
    }
    content += csv_line(row);
    written.push_back(std::move(row));
  }
  const size_t last = content.size();
  content += csv_line({"the", "last", std::string(600'000, 'q') + "\""});  // longer than two blocks
  const auto table = rows(content);
  REQUIRE(table.size() == written.size() + 1);
  bool equal = true;
  for (size_t i = 0; i < written.size(); ++i) equal = equal && table[i].cells == written[i];
  CHECK(equal);
  CHECK(table.back().cells[2].size() == 600'001);
  CHECK(table.back().line == 1 + line_breaks_in(content.substr(0, last)));
}

TEST_CASE_METHOD(CsvFolder, "ten million rows are read in the memory of a few blocks") {
  {
    std::ofstream file(path());
    file << "path,label\n";
    const std::string some = "abcdef.wav,dog\n";
    std::string block;
    for (int i = 0; i < 10'000; ++i) block += some;
    for (int i = 0; i < 1'000; ++i) file << block;
  }
  const int64_t before = peak_mib();
  CsvReader table(path());
  int64_t count = 0;
  bool good = true;
  while (table.next()) {
    if (++count == 1'000) {  // rows of one length are foreseen to one in a thousand, the header's share
      CHECK(table.expected_rows() > 9'990'000);
      CHECK(table.expected_rows() < 10'010'000);
    }
    good = good && table.cells()[1] == "dog";
  }
  CHECK(count == 10'000'000);
  CHECK(good);
  CHECK(table.line() == 10'000'001);
  CHECK(peak_mib() - before <= 8);  // a window of 512 KiB, and what malloc rounds up to
}

TEST_CASE("a byte that is not UTF-8 is found wherever the reader's blocks end") {
  const CsvFolder folder;
  // Bad bytes just before a line end look like a cut character when a block ends there.
  for (const size_t block : {size_t{1} << 16U, size_t{1} << 18U, size_t{1} << 20U}) {
    for (size_t back = 2; back <= 4; ++back) {
      std::string text = "name\n";
      while (text.size() + 100 < block - back) text += std::string(49, 'x') + "\n";
      text += std::string(block - back - text.size(), 'y') + "\xFF\n";
      const size_t bad = text.size() - 2;
      for (int line = 0; line < 100; ++line) text += "after\n";
      INFO(block << " " << back);
      CHECK(folder.refusal(text).find("byte offset " + std::to_string(bad)) != std::string::npos);
    }
  }
}
