#include "data/load_row.h"

#include <fmt/format.h>

#include <bit>

#include "base/text.h"

namespace amae {
namespace {

/// A pass over the bits: beside decoding it costs nothing worth measuring, and it makes no temporary tensors.
bool all_finite(const at::Tensor& x) {
  constexpr uint32_t kExponent = 0x7F800000;
  const float* values = x.const_data_ptr<float>();
  const int64_t count = x.numel();
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1U : 0U;
  return bad == 0;
}

bool is_announced(const at::Tensor& x, const Spec& spec) {
  if (!x.defined() || x.scalar_type() != at::kFloat || x.dim() != 2) return false;
  for (size_t i = 0; i < 2 && spec.shape.size() == 2; ++i) {
    if (spec.shape[i] >= 0 && spec.shape[i] != x.size(static_cast<int64_t>(i))) return false;
  }
  return true;
}

}  // namespace

Signal load_row(const Dataset& data, int64_t row, const Origin& origin) {
  Signal signal;
  try {
    signal = data.load(row);
  } catch (...) {
    blame_for_exception(origin, fmt::format("failed to load row {}", printable(data.id(row))));
  }
  if (!is_announced(signal.samples, data.spec())) {
    blame(origin, fmt::format("gave {} for row {}, announced as {} of float", tensor_text(signal.samples),
                              printable(data.id(row)), data.spec().text()));
  }
  if (!all_finite(signal.samples.contiguous()))
    blame(origin, fmt::format("gave samples that are not finite for row {}", printable(data.id(row))));
  return signal;
}

}  // namespace amae
