// RUN/split.csv: which rows trained, which were judged.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/split.h"

namespace amae {

/// Writes RUN/split.csv: row (0-based), id, part, a line for each row of the data set in order. Parts are train, val,
/// test, unlabelled (Split::unlabelled) and unreadable (in none of them: a bad sample that was left out). The file is
/// whole or not there; a few MiB of it are held at a time.
///
/// Where the run has one already it must be the same: InputError (code RUN, with the first line that differs) when it
/// is not, since a run that went on would train on what it was judged by, or has been. Throws EnvironmentError when it
/// cannot be written. Returns the number of rows of each part and the file's SHA-256, for run.json.
nlohmann::ordered_json keep_split(const std::filesystem::path& run, const Dataset& dataset, const Split& split);

}  // namespace amae
