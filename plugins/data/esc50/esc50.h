// ESC-50 and any recordings laid out like it: ROOT/audio/* and ROOT/meta/esc50.csv.
// Source of the data set: Piczak 2015, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia.
#pragma once

#include <string>

#include "../common/audio_rows.h"
#include "amae/options.h"

namespace amae {

struct Esc50Options {
  std::string root;
  std::string subset = "all";
  std::string on_bad_sample = "error";

  void describe(Fields& fields) {
    fields.add("root", root, "folder that holds audio/ and meta/esc50.csv; tools/get_esc50 fetches it")
        .path()
        .required();
    fields.add("subset", subset, "all: every row of the table; esc10: the rows marked esc10=True")
        .choices({"all", "esc10"});
    fields
        .add(
            "on_bad_sample", on_bad_sample,
            "files that are missing or cannot be decoded: error: stop; skip: leave their rows out, count and list them")
        .choices({"error", "skip"});
  }
};

/// Rows in the order of meta/esc50.csv, whose columns filename, fold, target, category and src_file are used (and esc10
/// for that subset). Any format that io/audio.h reads; where a file of the table is absent, the same stem with .wav,
/// .flac or .ogg is taken. Classes are the categories of the rows kept, in order of their target; labels count from 0
/// without gaps, the target of the table stays as the column "target". Groups are source recordings (src_file).
///
/// The constructor throws as RowCollector::finish() does: codes DATA-FILE (a file or folder), DATA-CSV (a row; where =
/// file:line), CSV and AUDIO.
class Esc50 final : public AudioRows {
 public:
  explicit Esc50(const Esc50Options& options);
};

}  // namespace amae
