// What can be known of a table's files without decoding them.
#pragma once

#include "audio_table.h"
#include "problem_list.h"

namespace amae {

/// Finds every file of the table below its root, reads its header into table.facts, and adds what
/// RowCollector::finish() promises to find. Each file is looked at once, however many rows it has.
void check_files(AudioTable& table, ProblemList& problems);

}  // namespace amae
