// audio_csv: sound files listed in a CSV table (RFC 4180), one row each or one row a section.
#pragma once

#include <memory>

#include "../common/audio_rows.h"
#include "table_options.h"

namespace amae {

struct AudioCsvOptions : TableOptions {
  std::string label_separator;

  void describe(Fields& fields) {
    TableOptions::describe(fields);
    fields.add("label_separator", label_separator,
               "text between the labels of a row, e.g. ; or |; empty: every row has one label");
  }
};

/// Rows in the order of the table. With a label separator a row may have any number of labels, none included.
/// Throws InputError as RowCollector::finish() does (codes DATA-CSV, DATA-FILE, CSV, AUDIO).
AudioTable read_audio_csv(const AudioCsvOptions& options);

}  // namespace amae
