// A row as its data set gives it, held to what the data set announces.
#pragma once

#include "amae/dataset.h"
#include "plugin/origin.h"

namespace amae {

/// data.load(row). Throws what it throws of our errors; InputError (code PLUGIN) that names the library and the row for
/// what else it throws, and for samples that are no finite float32 [C, N] of the announced sizes: a later stage would
/// be blamed for them. Thread-safe.
Signal load_row(const Dataset& data, int64_t row, const Origin& origin);

}  // namespace amae
