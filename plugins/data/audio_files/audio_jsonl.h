// audio_jsonl: sound files listed as JSON objects, one a line.
#pragma once

#include "../common/audio_rows.h"
#include "table_options.h"

namespace amae {

using AudioJsonlOptions = TableOptions;

/// {"path": "dogs/a.wav", "label": "dog", "fold": 1, "group": "tape 7", "start": 0.5, "end": 2}
///
/// The keys are those of TableOptions; other keys are ignored, blank lines too. "label" is a text, or in every line a
/// list of texts (several labels a row); with `labels: numbers`, numbers instead. "group" is a text or a whole number.
/// null is as good as a key that is not there. A line holds at most 1 MiB.
/// Throws InputError as RowCollector::finish() does (codes DATA-JSONL, DATA-FILE, AUDIO).
AudioTable read_audio_jsonl(const AudioJsonlOptions& options);

}  // namespace amae
