// NumPy arrays among the values of a pickle, checked against their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/pickle.h"

namespace amae {

/// An array of plain numbers; its bytes stay the pickle's.
struct PickledArray {
  std::string dtype;            ///< with its byte order, as NumPy writes it: "<f4"
  std::vector<int64_t> shape;   ///< each from 0 on
  std::vector<int64_t> stride;  ///< elements from one index to the next, of each axis
  int64_t size = 0;             ///< elements
  int64_t item_bytes = 0;
  std::string_view bytes;  ///< size * item_bytes

  [[nodiscard]] bool is_big_endian() const { return dtype[0] == '>'; }
  /// "[1000, 2, 128]"
  [[nodiscard]] std::string shape_text() const;
};

/// The array that `ref` is. Throws the pickle's InputError about `field` when it is none, or of anything but bools,
/// integers, real and complex numbers of 1 to 16 bytes ("an array of dtype |O"), has more than 32 axes or a negative
/// size, or when its bytes are not as many as shape and dtype say.
PickledArray pickled_array(const Pickle& pickle, Pickle::Ref ref, const std::string& field);

}  // namespace amae
