// A long recording as pieces of one length, in whole sample frames, so that their number and places are exact.
#pragma once

#include <cstdint>

namespace amae {

/// A piece of a recording in sample frames: begin..begin + frames - 1.
struct Chunk {
  int64_t begin = 0;
  int64_t frames = 0;
};

/// Chunks of `length` frames whose beginnings are `hop` apart, from the recording's first frame until its end is
/// covered: 1 + ceil((total - length) / hop) of them, one for a recording no longer than a chunk. Where chunks fit
/// exactly there is none more. The last one ends with the recording and may be shorter. With gaps (hop > length) what
/// lies in a gap is left out, the recording's end too.
///
///   total 10, length 4, hop 3:  [0 1 2 3]  [3 4 5 6]  [6 7 8 9]
///   total 10, length 4, hop 4:  [0 1 2 3]  [4 5 6 7]  [8 9]
class Chunks {
 public:
  /// Throws std::invalid_argument unless all are positive.
  Chunks(int64_t total, int64_t length, int64_t hop);

  [[nodiscard]] int64_t count() const { return count_; }
  /// Chunk `number`, 0..count() - 1.
  [[nodiscard]] Chunk operator[](int64_t number) const;

 private:
  int64_t total_, length_, hop_, count_;
};

/// A duration in whole frames of a rate: the nearest number, at least 1.
[[nodiscard]] int64_t frames_of(double seconds, double rate_hz);

}  // namespace amae
