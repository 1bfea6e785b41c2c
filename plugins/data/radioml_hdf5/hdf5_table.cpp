#include "hdf5_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace amae {
namespace {

constexpr int kMostRanks = 8;
constexpr uint64_t kDeflateRatio = 1032;  // zlib's technical details: at best 1032 to 1

std::vector<int64_t> sizes_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (H5Sget_simple_extent_type(space) != H5S_SIMPLE || rank < 1 || rank > kMostRanks) return {};
  std::array<hsize_t, kMostRanks> sizes{};
  if (H5Sget_simple_extent_dims(space, sizes.data(), nullptr) < 0) return {};
  std::vector<int64_t> result;
  for (int i = 0; i < rank; ++i)
    result.push_back(static_cast<int64_t>(std::min<hsize_t>(sizes[static_cast<size_t>(i)], INT64_MAX)));
  return result;
}

std::string type_text(hid_t type) {
  const size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("{}-bit integers", bits);
    case H5T_FLOAT:
      return fmt::format("{}-bit floats", bits);
    case H5T_STRING:
      return "texts";
    case H5T_COMPOUND:
      return "records";
    case H5T_ENUM:
      return "enumerated values";
    default:
      return "values of another type";
  }
}

}  // namespace

Hdf5Table::Hdf5Table(const Hdf5File& file, const char* name, Numbers numbers) : file_(file), name_(name) {
  open();
  const Hdf5Id creation(H5Dget_create_plist(id_.get()), H5Pclose);
  // Before its extent is asked for: that of a virtual dataset is found by opening other files.
  if (H5Pget_layout(creation.get()) == H5D_VIRTUAL)
    refuse("got a virtual dataset, whose values lie in other files, expected them in this one");
  if (H5Pget_external_count(creation.get()) != 0) refuse("got external storage, expected the values in this file");
  check_filters(creation);
  check_type(numbers);
  const Hdf5Id space(H5Dget_space(id_.get()), H5Sclose);
  shape_ = sizes_of(space.get());
  if (shape_.empty()) refuse("got no array, expected one axis or more");
  check_size(creation);
}

void Hdf5Table::open() {
  if (H5Lexists(file_.id(), name_.c_str(), H5P_DEFAULT) <= 0) refuse("is missing, expected datasets X, Y and Z");
  H5L_info_t link{};
  if (H5Lget_info(file_.id(), name_.c_str(), &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
    refuse("got a link that leads elsewhere, expected a dataset of this file");
  id_ = Hdf5Id(H5Dopen2(file_.id(), name_.c_str(), H5P_DEFAULT), H5Dclose);
  if (!id_.is_open()) refuse("cannot be opened, expected an undamaged dataset");
}

void Hdf5Table::check_filters(const Hdf5Id& creation) {
  const int count = H5Pget_nfilters(creation.get());
  if (count < 0) refuse("has filters that cannot be read");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    std::array<char, 64> filter_name{};
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &values, nullptr,
                                               filter_name.size() - 1, filter_name.data(), &config);
    int* place = nullptr;
    if (filter == H5Z_FILTER_DEFLATE) place = &filters_.deflate;
    if (filter == H5Z_FILTER_SHUFFLE) place = &filters_.shuffle;
    if (filter == H5Z_FILTER_FLETCHER32) place = &filters_.fletcher32;
    if (place == nullptr || *place >= 0) {
      refuse(
          fmt::format("got filter {} ({}){}", static_cast<int>(filter), printable(filter_name.data()),
                      place == nullptr ? ", expected none, deflate, shuffle or fletcher32" : " twice, expected once"));
    }
    *place = i;
  }
  if (filters_.deflate >= 0 && filters_.shuffle > filters_.deflate)
    refuse("got filters that shuffle what is deflated, expected shuffle before deflate");
}

void Hdf5Table::check_type(Numbers numbers) const {
  const Hdf5Id type(H5Dget_type(id_.get()), H5Tclose);
  const auto equals = [&](hid_t other) { return H5Tequal(type.get(), other) > 0; };
  const size_t bytes = H5Tget_size(type.get());
  if (numbers == Numbers::reals) {
    if (equals(H5T_IEEE_F32LE) || equals(H5T_IEEE_F32BE) || equals(H5T_IEEE_F64LE) || equals(H5T_IEEE_F64BE)) return;
    refuse(fmt::format("got {}, expected 32-bit or 64-bit IEEE floats", type_text(type.get())));
  }
  if (H5Tget_class(type.get()) == H5T_INTEGER && bytes <= 8 && H5Tget_precision(type.get()) == 8 * bytes) return;
  refuse(fmt::format("got {}, expected integers of 8 to 64 bits", type_text(type.get())));
}

void Hdf5Table::check_size(const Hdf5Id& creation) {
  const Hdf5Id type(H5Dget_type(id_.get()), H5Tclose);
  uint64_t bytes = H5Tget_size(type.get());
  bool overflows = false;
  for (const int64_t size : shape_)
    overflows = overflows || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes);
  const uint64_t limit = file_.file().size() * (filters_.deflate >= 0 ? kDeflateRatio : 1);
  if (overflows || bytes > limit) {
    refuse(fmt::format("got {} of {}, which is more than a file of {} can hold", shape_text(), type_text(type.get()),
                       bytes_text(static_cast<double>(file_.file().size()))));
  }
  if (bytes == 0) refuse(fmt::format("got {}, expected at least one value", shape_text()));
  switch (H5Pget_layout(creation.get())) {
    case H5D_COMPACT:
      return;
    case H5D_CONTIGUOUS: {
      const haddr_t offset = H5Dget_offset(id_.get());
      if (offset == HADDR_UNDEF || H5Dget_storage_size(id_.get()) < bytes)
        refuse(fmt::format("got {} that was never written", shape_text()));
      if (offset > file_.file().size() || bytes > file_.file().size() - offset)
        refuse(fmt::format("got {} bytes from byte {} on in a file of {} (truncated file)", bytes, offset,
                           file_.file().size()));
      return;
    }
    case H5D_CHUNKED:
      chunks_.emplace(file_, name_, id_, creation, shape_, filters_);
      return;
    default:
      refuse("got an unknown layout");
  }
}

int64_t Hdf5Table::row_size() const {
  int64_t size = 1;
  for (size_t axis = 1; axis < shape_.size(); ++axis) size *= shape_[axis];
  return size;
}

std::string Hdf5Table::shape_text() const { return fmt::format("[{}]", fmt::join(shape_, ", ")); }

void Hdf5Table::read(int64_t first, int64_t count, float* target) const {
  read(first, count, H5T_NATIVE_FLOAT, target);
}

void Hdf5Table::read(int64_t first, int64_t count, int64_t* target) const {
  static_assert(sizeof(int64_t) == 8);
  read(first, count, H5T_NATIVE_INT64, target);
}

void Hdf5Table::read(int64_t first, int64_t count, hid_t type, void* target) const {
  if (chunks_) chunks_->check_rows(first, count);
  std::array<hsize_t, kMostRanks> start{}, size{};
  for (size_t axis = 0; axis < shape_.size(); ++axis) size[axis] = static_cast<hsize_t>(shape_[axis]);
  start[0] = static_cast<hsize_t>(first);
  size[0] = static_cast<hsize_t>(count);
  const Hdf5Id space(H5Dget_space(id_.get()), H5Sclose);
  const Hdf5Id memory(H5Screate_simple(static_cast<int>(shape_.size()), size.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0 ||
      H5Dread(id_.get(), type, memory.get(), space.get(), H5P_DEFAULT, target) < 0)
    file_.refuse(count == 1 ? "cannot be read, expected an undamaged file"
                            : fmt::format("cannot be read, nor what follows up to row {}, expected an undamaged file",
                                          first + count - 1),
                 fmt::format("{}, row {}", name_, first));
}

}  // namespace amae
