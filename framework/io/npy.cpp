#include "io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "io/npy_header.h"

namespace amae {
namespace {

static_assert(std::endian::native == std::endian::little, "array bytes are little-endian in the file and in memory");

constexpr std::string_view kNpyTypes = "<f2, <f4, <f8, <i4, <i8, |u1";

struct NpyDtype {
  std::string_view descr;
  at::ScalarType type;
};
constexpr std::array<NpyDtype, 6> kNpyDtypes = {{{"<f2", at::kHalf},
                                                 {"<f4", at::kFloat},
                                                 {"<f8", at::kDouble},
                                                 {"<i4", at::kInt},
                                                 {"<i8", at::kLong},
                                                 {"|u1", at::kByte}}};

at::ScalarType type_of(const ByteSource& source, const std::string& descr) {
  const std::string known = descr == "<u1" || descr == "u1" ? "|u1" : descr;  // one byte has no order
  for (const NpyDtype& dtype : kNpyDtypes) {
    if (dtype.descr == known) return dtype.type;
  }
  const std::string kind = descr.find('O') != std::string::npos ? " (Python objects)"
                           : descr.starts_with('>')             ? " (big-endian)"
                                                                : "";
  source.refuse(fmt::format("got '{}'{}, expected one of {}", printable(descr), kind, kNpyTypes), "descr");
}

}  // namespace

void write_npy(const std::filesystem::path& path, const at::Tensor& array) {
  if (!array.defined()) throw std::invalid_argument("write_npy: got no array");
  const auto* known = std::find_if(kNpyDtypes.begin(), kNpyDtypes.end(),
                                   [&](const NpyDtype& d) { return d.type == array.scalar_type(); });
  if (known == kNpyDtypes.end()) {
    throw std::invalid_argument(
        fmt::format("write_npy: got {}, expected float16, float32, float64, int32, int64 or uint8",
                    c10::toString(array.scalar_type())));
  }
  const at::Tensor plain = array.detach().cpu().contiguous();
  std::string bytes = npy_header(known->descr, array.sizes().vec());
  bytes.reserve(bytes.size() + plain.nbytes());
  bytes.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  write_file(path, bytes);
}

at::Tensor read_npy(const std::filesystem::path& path) {
  const OpenFile source(path, "NPY");
  const NpyHeader header = read_npy_header(source);
  const at::ScalarType type = type_of(source, header.descr);
  npy_data_bytes(source, header, c10::elementSize(type));
  at::Tensor array = at::empty(header.shape, type);
  source.read(header.data_at, array.mutable_data_ptr(), array.nbytes());
  return array;
}

}  // namespace amae
