#include "io/pickle_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace amae {
namespace {

constexpr size_t kMaxArrayAxes = 32;
constexpr std::array<std::string_view, 14> kNumberTypes = {"b1", "i1", "i2", "i4", "i8", "u1", "u2",
                                                           "u4", "u8", "f2", "f4", "f8", "c8", "c16"};

/// "<f4"; "|O" for what is no plain number of a known byte order.
std::string dtype_text(const Pickle::Value& dtype) {
  // '=' is the order of the machine that wrote it; all that matter are little-endian.
  const char order = dtype.integer == '=' ? '<' : dtype.integer == 0 ? '|' : static_cast<char>(dtype.integer);
  return order + printable(dtype.text.substr(0, 20));
}

bool is_number(const Pickle::Value& dtype) {
  if (std::find(kNumberTypes.begin(), kNumberTypes.end(), dtype.text) == kNumberTypes.end()) return false;
  return dtype.integer != 0 && (dtype.integer != '|' || dtype.text[1] == '1');
}

}  // namespace

std::string PickledArray::shape_text() const { return fmt::format("[{}]", fmt::join(shape, ", ")); }

PickledArray pickled_array(const Pickle& pickle, Pickle::Ref ref, const std::string& field) {
  const Pickle::Value& value = pickle.at(ref);
  if (value.kind != Pickle::Kind::array || value.items.size() != 3)
    pickle.refuse(field, fmt::format("got {}, expected a NumPy array of numbers", kind_text(value.kind)));
  const Pickle::Value &bytes = pickle.at(value.items[0]), &shape = pickle.at(value.items[1]);
  const Pickle::Value& dtype = pickle.at(value.items[2]);
  PickledArray array;
  array.dtype = dtype_text(dtype);
  if (!is_number(dtype)) pickle.refuse(field, fmt::format("got an array of dtype {}, expected numbers", array.dtype));
  for (const char c : dtype.text.substr(1)) array.item_bytes = 10 * array.item_bytes + (c - '0');
  if (shape.items.size() > kMaxArrayAxes)
    pickle.refuse(field, fmt::format("got {} axes, expected at most {}", shape.items.size(), kMaxArrayAxes));
  array.size = 1;
  bool overflows = false;
  for (const Pickle::Ref axis : shape.items) {
    const Pickle::Value& size = pickle.at(axis);
    if (size.kind != Pickle::Kind::integer || size.integer < 0)
      pickle.refuse(field, "got a shape that is not of whole numbers from 0 on");
    array.shape.push_back(size.integer);
    overflows = overflows || __builtin_mul_overflow(array.size, size.integer, &array.size);
  }
  int64_t expected = 0;
  overflows = overflows || __builtin_mul_overflow(array.size, array.item_bytes, &expected);
  if (overflows || bytes.text.size() != static_cast<uint64_t>(expected)) {
    pickle.refuse(field, fmt::format("got {} bytes, expected {} for shape {} of {}", bytes.text.size(),
                                     overflows ? "more than any file has" : fmt::format("{}", expected),
                                     array.shape_text(), array.dtype));
  }
  array.bytes = bytes.text;
  array.stride.resize(array.shape.size());
  int64_t step = array.size > 0 ? 1 : 0;
  for (size_t i = 0; i < array.shape.size(); ++i) {
    const size_t axis = value.integer != 0 ? i : array.shape.size() - 1 - i;  // Fortran: the first axis is the fastest
    array.stride[axis] = step;
    step *= array.shape[axis];
  }
  return array;
}

}  // namespace amae
