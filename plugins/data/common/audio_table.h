// A list of sound files, or of sections of them, with labels, folds and groups: compact columns, so that a million rows
// cost some tens of megabytes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "name_table.h"

namespace amae {

/// How a table is to be read; the same for tables of every kind.
struct TableRules {
  std::filesystem::path root;  ///< an existing folder; files come from below it
  std::string source;          ///< the table's file, for messages; empty: there is none
  std::string code;            ///< of problems with a row

  std::string path = "path", label = "label", fold = "fold", group = "group", start = "start",
              end = "end";  ///< columns

  std::vector<std::string> classes = {};  ///< in label order; empty: those that occur, sorted
  std::vector<std::string> columns = {};  ///< more columns, of numbers
  bool has_labels = true;
  bool several_labels = false;      ///< any number of labels a row
  bool labels_are_numbers = false;  ///< 0-based places in `classes`
  bool skips_bad = false;           ///< files that cannot be read are left for load() to refuse
  bool any_format = false;          ///< where a file is absent, the same stem as .wav, .flac or .ogg serves
  std::string hint = {};            ///< told when files are missing
};

/// What a file's header says.
struct FileFacts {
  int64_t frames = 0;  ///< 0: the header cannot be read
  int32_t rate_hz = 0;
  int16_t channels = 0;
  int16_t extension = 0;  ///< which of kOtherExtensions stands in for the name's own
};
inline constexpr const char* kOtherExtensions[] = {"", ".wav", ".flac", ".ogg"};

inline constexpr double kToTheEnd = std::numeric_limits<double>::infinity();

struct AudioTable {
  TableRules rules;
  NameTable files;  ///< below the root, each once
  std::vector<FileFacts> facts;

  // One entry a row, or empty where the table has no such thing.
  std::vector<uint32_t> file;          ///< number in `files`
  std::vector<uint32_t> line;          ///< 1-based, of the source; empty: row r stands on line r + 2
  std::vector<double> start_s, end_s;  ///< section; empty: every row is a whole file
  std::vector<int32_t> fold;
  std::vector<int32_t> group;  ///< files' numbers (>= 0) for rows without a group of their own, others below 0
  std::map<std::string, std::vector<double>> columns;

  std::vector<std::string> classes;
  at::Tensor labels;  ///< as in Dataset::labels()

  [[nodiscard]] size_t size() const { return file.size(); }
  [[nodiscard]] bool is_section(size_t row) const {
    return !start_s.empty() && (start_s[row] != 0 || end_s[row] != kToTheEnd);
  }
  /// The file as it is found on disk.
  [[nodiscard]] std::filesystem::path path_of(uint32_t number) const;
  [[nodiscard]] size_t line_of(size_t row) const;
  /// "table.csv:12", or the file where there is no table.
  [[nodiscard]] std::string where(size_t row) const;
  /// "dogs/a.wav", with "#t=1.5,2" behind it for a section (the notation of W3C Media Fragments); printable, unique.
  [[nodiscard]] std::string id(size_t row) const;
};

/// Frames of a row within its file.
struct Section {
  int64_t begin = 0, frames = 0;
};

/// From seconds to frames, rounded to the nearest. An end up to 10 ms behind the file's is the file's: tables round
/// too. Throws InputError (where = the row's line; the message names the file) when the section lies outside or is
/// empty.
Section section_of(const AudioTable& table, size_t row, const FileFacts& facts);

}  // namespace amae
