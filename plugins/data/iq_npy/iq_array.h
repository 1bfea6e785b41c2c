// An array of IQ frames: which axis is which, and a frame by its number.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

#include "io/npy_array.h"

namespace amae {

/// N frames of L samples, as real numbers [N, 2, L] (channels first: all I, then all Q) or [N, L, 2] (channels last: I
/// and Q in turn), or as complex numbers [N, L]. Any type that io/npy_array.h reads; integers become fractions of full
/// scale (io/sample_type.h). Thread-safe.
class IqArray {
 public:
  /// `name`: of the array in an .npz archive. `layout`: "channels_first", "channels_last", or "auto": told by which of
  /// the two axes is 2 long. Throws InputError (code NPY; field "shape") when both are, naming the option that decides,
  /// or neither is; for other numbers of axes, and frames that are empty or over 2^30 samples.
  IqArray(const std::filesystem::path& path, const std::string& name, const std::string& layout);

  [[nodiscard]] int64_t frames() const { return array_.rows(); }  ///< N
  [[nodiscard]] int64_t samples() const { return samples_; }      ///< L
  [[nodiscard]] at::Tensor read(int64_t frame) const;             ///< [2, L] float32

 private:
  void find_axes(const std::string& layout);

  NpyArray array_;
  bool interleaved_ = false;  // I and Q stand side by side
  int64_t samples_ = 0;
};

}  // namespace amae
