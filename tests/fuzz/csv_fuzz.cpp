// The CSV reader: any bytes are a table or refused, and a table that we write out reads back cell by cell.
#include "amae/error.h"
#include "io/csv.h"
#include "target.h"

AMAE_FUZZ_TARGET(csv)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file, again;
  file.put(amae::fuzz::text_of(data, size));
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> names;
  try {
    amae::CsvReader table(file.path());
    for (size_t i = 0; i < table.header().size(); ++i) names.push_back("c" + std::to_string(i));
    int64_t line = 1;
    while (table.next()) {
      amae::fuzz::require(table.cells().size() == names.size(), "a row has as many cells as the header");
      amae::fuzz::require(table.line() > line, "lines go up");
      line = table.line();
      rows.emplace_back(table.cells().begin(), table.cells().end());
    }
  } catch (const amae::Error&) {  // refused; the rows before are a table all the same
  }
  if (names.empty()) return 0;
  std::string text = amae::csv_line(names);
  for (const auto& row : rows) text += amae::csv_line(row);
  again.put(text);
  amae::CsvReader table(again.path());
  for (const auto& row : rows) {
    amae::fuzz::require(table.next(), "every row that was written is there");
    amae::fuzz::require(std::equal(row.begin(), row.end(), table.cells().begin(), table.cells().end()),
                        "a row reads back as it was written");
  }
  amae::fuzz::require(!table.next(), "no row comes from nowhere");
  return 0;
}
