// Writes a data set anew: as FLAC files with a table, or as one file of samples with an index.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "task/data_info.h"

namespace amae {

enum class ConvertTo {
  flac,   ///< audio/NAME.flac for each row and data.csv: path,label,fold,group (where known) and the other columns
  store,  ///< samples.bin and index.safetensors (io/signal_store.h)
};

struct Converted {
  int64_t rows = 0;
  std::vector<Problem> left_out;  ///< rows that could not be read; `field` is the id
  double seconds = 0;             ///< of all rows, where the rate is known
  double bytes = 0;               ///< of all files
  int64_t rounded_rows = 0;       ///< FLAC: rows that 24 bits do not say exactly
  int64_t clipped_samples = 0;    ///< FLAC: samples beyond full scale
};

/// Fills `folder`, which must not exist or be empty: everything is written beside it and renamed when whole, so that
/// half a result never has that name. A row that cannot be read stops the work, or is left out where the data set skips
/// bad rows. Several labels of a row are joined by ";" in data.csv. Throws InputError (code CONVERT) for a folder that
/// is in use, signals that FLAC cannot hold, and labels that data.csv cannot; EnvironmentError when the disk says no.
Converted convert_data(const DataTarget& target, ConvertTo to, const std::filesystem::path& folder,
                       const DataProgress& progress = {});

}  // namespace amae
