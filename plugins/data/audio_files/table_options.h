// Options that tables of sound files share, whatever they are written in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../common/audio_table.h"
#include "amae/options.h"

namespace amae {

constexpr int64_t kHighestFold = 1'000'000'000;
/// Rows read before the table's size says how many more to expect.
constexpr uint64_t kRowsBeforeReserving = 1024;

struct TableOptions {
  std::string file;
  std::string root;
  std::string path = "path", label = "label", fold = "fold", group = "group", start = "start", end = "end";
  std::vector<std::string> classes;
  std::string labels = "names";
  std::vector<std::string> columns;
  std::string on_bad_sample = "error";

  void describe(Fields& fields) {
    fields.add("file", file, "the table").path().required();
    fields.add("root", root, "folder that the paths in the table start from and may not leave; empty: the table's")
        .path();
    fields.add("path", path, "column of the sound files");
    fields.add("label", label, "column of the labels; empty: there are none");
    fields.add("fold", fold, "column of the fold numbers, used where the table has it; empty: never");
    fields.add("group", group, "column of the source recordings, used where the table has it; empty: never");
    fields.add("start", start, "column of the seconds where a section starts, where the table has it; empty: never");
    fields.add("end", end, "column of the seconds where a section ends, where the table has it; empty: never");
    fields.add("classes", classes, "names of the classes in label order; empty: those that occur, sorted");
    fields.add("labels", labels, "names: of classes; numbers: 0-based places in `classes`")
        .choices({"names", "numbers"});
    fields.add("columns", columns, "more columns to keep, all of numbers (e.g. snr)");
    fields
        .add(
            "on_bad_sample", on_bad_sample,
            "files that are missing or cannot be decoded: error: stop; skip: leave their rows out, count and list them")
        .choices({"error", "skip"});
  }

  /// `code`: of problems with a row. Throws InputError (field root or file) when the root is no folder.
  [[nodiscard]] TableRules rules(const std::string& code) const;

  /// True when a column was asked for by another name than the default: then it must be there.
  static bool is_own_choice(const std::string& name, const char* by_default) {
    return !name.empty() && name != by_default;
  }
};

}  // namespace amae
