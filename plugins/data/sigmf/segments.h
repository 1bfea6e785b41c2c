// What becomes rows: the annotations or captures of all recordings, with their labels and fields.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "../common/column_maker.h"
#include "io/sigmf_recording.h"

namespace amae {

struct SigMfOptions;

/// A stretch of a recording that gives one row, or several where it is cut into frames.
struct SigMfSegment {
  uint32_t recording = 0;
  uint32_t number = 0;  ///< place in the metadata's list
  uint64_t start = 0;   ///< sample
  uint64_t count = 0;
};

struct SigMfSegments {
  std::vector<SigMfRecording> recordings;
  std::vector<SigMfSegment> segments;         ///< each gives at least one row
  std::vector<std::string> classes;           ///< empty: no labels
  at::Tensor labels;                          ///< int64 of each segment, or undefined
  std::map<std::string, ColumnMaker> fields;  ///< by column name, of each segment
};

/// Rows of a segment of `count` samples: 1 without frames, else as many frames as lie in it whole.
int64_t sigmf_rows(const SigMfOptions& options, uint64_t count);

/// Reads the metadata of all recordings that the options lead to. Throws one InputError with the first 20 problems: see
/// SigMf.
SigMfSegments read_sigmf_segments(const SigMfOptions& options);

}  // namespace amae
