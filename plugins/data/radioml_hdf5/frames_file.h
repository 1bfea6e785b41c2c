// A file of the form of RML2018.01A: X frames, Y their classes, Z their SNRs, a row each.
#pragma once

#include <cstdint>
#include <vector>

#include "hdf5_table.h"

namespace amae {

struct FrameLabels {
  std::vector<int32_t> label;  ///< of each row, from 0 on
  std::vector<int16_t> snr_db;
};

/// The caller holds the lock (lock_hdf5) during every member. `file` must outlive this. N rows, K classes, L samples:
///
///   X [N, L, 2] or [N, 2, L]   floats; the axis that is 2 long is I and Q
///   Y [N, K]                   integers, 0 but for a 1 at the row's class
///   Z [N, 1] or [N]            integers, dB
class FramesFile {
 public:
  /// Throws InputError as Hdf5File and Hdf5Table do, and for other shapes (field = the dataset).
  explicit FramesFile(const RegularFile& file);

  [[nodiscard]] int64_t rows() const { return x_.rows(); }
  [[nodiscard]] int64_t samples() const { return samples_; }
  [[nodiscard]] int64_t classes() const { return classes_; }

  /// Y and Z, a slice at a time: throws InputError (field = "Y, row N") for a row of Y with none or several ones, and
  /// for an SNR beyond ±1000 dB.
  [[nodiscard]] FrameLabels read_labels() const;

  /// Writes [2, L].
  void read_frame(int64_t row, float* target) const;

 private:
  void check_shapes();

  Hdf5File file_;
  Hdf5Table x_;
  int64_t samples_ = 0, classes_ = 0;
  bool interleaved_ = false;  // [N, L, 2]
};

}  // namespace amae
