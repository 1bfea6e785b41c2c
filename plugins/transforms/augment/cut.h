// A piece of each item, as the crops take it.
#pragma once

#include <cstring>

#include "../common/checks.h"

namespace amae {

/// x [B, ..., T] -> [B, ..., length]: item i from start_of(i, values) on, where `values` is the item's first value.
/// start_of is asked only where T > length and gives 0..T - length; items shorter than that are repeated. T > 0.
template <class StartOf>
at::Tensor cut(const at::Tensor& x, int64_t length, StartOf start_of) {
  const Rows shape(x);
  const int64_t whole = shape.length;
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = length;
  at::Tensor out = at::empty(sizes, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t item = 0; item < shape.items; ++item) {
    const int64_t start = whole > length ? start_of(item, from) : 0;
    for (int64_t row = 0; row < shape.rows; ++row, from += whole, to += length) {
      for (int64_t done = 0; done < length; done += whole) {  // more than once only when the item is short
        std::memcpy(to + done, from + start, sizeof(float) * static_cast<size_t>(std::min(whole, length - done)));
      }
    }
  }
  return out;
}

}  // namespace amae
