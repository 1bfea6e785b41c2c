#include "audio_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

std::filesystem::path AudioTable::path_of(uint32_t number) const {
  auto path = rules.root / files[number];
  if (number < facts.size() && facts[number].extension > 0) {
    path.replace_extension(kOtherExtensions[facts[number].extension]);
  }
  return path;
}

size_t AudioTable::line_of(size_t row) const { return line.empty() ? row + 2 : line[row]; }

std::string AudioTable::where(size_t row) const {
  if (rules.source.empty()) return printable(path_of(file[row]).string());
  return fmt::format("{}:{}", printable(rules.source), line_of(row));
}

std::string AudioTable::id(size_t row) const {
  std::string text = printable(files[file[row]]);
  if (!is_section(row)) return text;
  text += "#t=" + number_text(start_s[row]);
  if (end_s[row] != kToTheEnd) text += "," + number_text(end_s[row]);
  return text;
}

Section section_of(const AudioTable& table, size_t row, const FileFacts& facts) {
  if (!table.is_section(row)) return {0, facts.frames};
  constexpr double kSlack_s = 0.01;
  const double rate = facts.rate_hz, length_s = static_cast<double>(facts.frames) / rate;
  const double start_s = table.start_s[row], end_s = table.end_s[row];
  const auto refuse = [&](const std::string& field, const std::string& message) {
    throw InputError(table.rules.code, table.where(row), field, message);
  };
  if (end_s != kToTheEnd && end_s > length_s + kSlack_s) {
    refuse(table.rules.end, fmt::format("got {} s, but {} has {} s", number_text(end_s),
                                        printable(table.files[table.file[row]]), number_text(length_s)));
  }
  const auto frame_of = [&](double seconds) { return static_cast<int64_t>(std::llround(seconds * rate)); };
  const int64_t begin = start_s < length_s ? frame_of(start_s) : facts.frames;
  const int64_t end = end_s >= length_s ? facts.frames : std::min(frame_of(end_s), facts.frames);
  if (begin >= end) {
    refuse(table.rules.start,
           fmt::format("got {} s, where no frame of {} ({} s) lies before the end of the section", number_text(start_s),
                       printable(table.files[table.file[row]]), number_text(length_s)));
  }
  return {begin, end - begin};
}

}  // namespace amae
