#include "hdf5_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/text.h"

namespace amae {
namespace {

constexpr uint64_t kMostChunkBytes = uint64_t{64} << 20;
constexpr uint64_t kChecksumBytes = 4;  // of fletcher32

/// Bytes in a zlib stream, counted until they are more than `most`; 0 for a damaged one.
uint64_t inflated_bytes(std::vector<unsigned char>& stored, uint64_t most) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  stream.next_in = stored.data();
  stream.avail_in = static_cast<uInt>(stored.size());
  std::array<unsigned char, 16'384> nowhere{};
  int state = Z_OK;
  while (state == Z_OK && stream.total_out <= most) {
    stream.next_out = nowhere.data();
    stream.avail_out = static_cast<uInt>(nowhere.size());
    state = inflate(&stream, Z_NO_FLUSH);
  }
  inflateEnd(&stream);
  return state == Z_OK || state == Z_STREAM_END ? stream.total_out : 0;
}

}  // namespace

Hdf5Chunks::Hdf5Chunks(const Hdf5File& file, std::string name, const Hdf5Id& dataset, const Hdf5Id& creation,
                       std::vector<int64_t> shape, ChunkFilters filters)
    : file_(file),
      name_(std::move(name)),
      dataset_(dataset.get()),
      shape_(std::move(shape)),
      filters_(filters),
      chunk_(shape_.size()) {
  const auto rank = static_cast<int>(chunk_.size());
  if (H5Pget_chunk(creation.get(), rank, chunk_.data()) != rank)
    refuse("got chunks of another number of axes than the values");
  unsigned options = 0;
  if (H5Pget_chunk_opts(creation.get(), &options) < 0 || options != 0)
    refuse("got chunks at the edges that are left out of the filters, expected all alike");
  const Hdf5Id type(H5Dget_type(dataset_), H5Tclose);
  bytes_ = H5Tget_size(type.get());
  bool overflows = false;
  for (const hsize_t size : chunk_) {
    if (size == 0) refuse("got chunks without values");
    overflows = overflows || __builtin_mul_overflow(bytes_, size, &bytes_);
  }
  if (overflows || bytes_ > kMostChunkBytes) {
    refuse(fmt::format("got chunks of {}, expected at most {}",
                       overflows ? "more than 2^64 bytes" : bytes_text(static_cast<double>(bytes_)),
                       bytes_text(static_cast<double>(kMostChunkBytes))));
  }
  check_written();
  check_stored_sizes();
  is_measured_.resize((static_cast<uint64_t>(shape_[0]) + chunk_[0] - 1) / chunk_[0]);
}

void Hdf5Chunks::check_written() const {
  uint64_t expected = 1;  // no more than there are values
  for (size_t axis = 0; axis < shape_.size(); ++axis)
    expected *= (static_cast<uint64_t>(shape_[axis]) + chunk_[axis] - 1) / chunk_[axis];
  hsize_t written = 0;
  if (H5Dget_num_chunks(dataset_, H5S_ALL, &written) < 0) refuse("has chunks that cannot be listed");
  if (written != expected)
    refuse(fmt::format("got {} chunks, expected {}: some were never written", written, expected));
}

/// `skipped`: a bit for each filter that this chunk was left out of.
bool Hdf5Chunks::went_through(int filter, unsigned skipped) const {
  return filter >= 0 && (skipped >> filter & 1U) == 0;
}

Hdf5Chunks::Sizes Hdf5Chunks::stored_sizes(unsigned skipped) const {
  const uint64_t checksum = went_through(filters_.fletcher32, skipped) ? kChecksumBytes : 0;
  if (!went_through(filters_.deflate, skipped)) return {bytes_ + checksum, bytes_ + checksum};
  return {1 + checksum, bytes_ + bytes_ / 1000 + 64};  // HDF5 gives zlib room for 0.1 % and 12 bytes more
}

void Hdf5Chunks::check_stored_sizes() const {
  struct Wrong {
    const Hdf5Chunks& chunks;
    bool is_found = false;
    hsize_t row = 0, bytes = 0;
    unsigned skipped = 0;
  } wrong{*this};
  const auto visit = [](const hsize_t* offset, unsigned skipped, haddr_t, hsize_t bytes, void* data) -> int {
    auto& found = *static_cast<Wrong*>(data);
    const Sizes sizes = found.chunks.stored_sizes(skipped);
    if (bytes >= sizes.least && bytes <= sizes.most) return H5_ITER_CONT;
    found.is_found = true;
    found.row = offset[0];
    found.bytes = bytes;
    found.skipped = skipped;
    return H5_ITER_STOP;
  };
  if (H5Dchunk_iter(dataset_, H5P_DEFAULT, visit, &wrong) < 0) refuse("has chunks that cannot be listed");
  // 1.14.5 returns 0 after a stop too, against its manual.
  if (wrong.is_found) refuse_stored(static_cast<int64_t>(wrong.row), wrong.bytes, wrong.skipped);
}

void Hdf5Chunks::check_rows(int64_t first, int64_t count) const {
  if (filters_.deflate < 0) return;
  const auto step = static_cast<int64_t>(chunk_[0]);
  for (int64_t along = first / step; along <= (first + count - 1) / step; ++along) {
    if (is_measured_[static_cast<size_t>(along)]) continue;
    std::vector<hsize_t> offset(shape_.size(), 0);
    offset[0] = static_cast<hsize_t>(along * step);
    for (size_t axis = 1; axis > 0;) {
      check_chunk(offset, std::max(first, along * step));
      for (axis = shape_.size() - 1; axis > 0; --axis) {  // the next one: the last axis is the fastest
        offset[axis] += chunk_[axis];
        if (offset[axis] < static_cast<hsize_t>(shape_[axis])) break;
        offset[axis] = 0;
      }
    }
    is_measured_[static_cast<size_t>(along)] = true;
  }
}

void Hdf5Chunks::check_chunk(const std::vector<hsize_t>& offset, int64_t row) const {
  constexpr const char* kUnreadable = "cannot be read, expected an undamaged file";
  hsize_t stored = 0;
  if (H5Dget_chunk_storage_size(dataset_, offset.data(), &stored) < 0) refuse_row(row, kUnreadable);
  if (stored > stored_sizes(0).most) refuse_stored(row, stored, 0);  // before it is allocated
  std::vector<unsigned char> bytes(static_cast<size_t>(stored));
  uint32_t skipped = 0;
  if (H5Dread_chunk(dataset_, H5P_DEFAULT, offset.data(), &skipped, bytes.data()) < 0) refuse_row(row, kUnreadable);
  if (const Sizes sizes = stored_sizes(skipped); stored < sizes.least || stored > sizes.most)
    refuse_stored(row, stored, skipped);
  if (!went_through(filters_.deflate, skipped)) return;
  const bool holds_checksum = went_through(filters_.fletcher32, skipped) && filters_.fletcher32 < filters_.deflate;
  const uint64_t expected = bytes_ + (holds_checksum ? kChecksumBytes : 0);
  const uint64_t got = inflated_bytes(bytes, expected);
  if (got == expected) return;
  if (got == 0) refuse_row(row, "got a chunk that does not inflate, expected an undamaged file");
  refuse_row(row, got > expected
                      ? fmt::format("got a chunk that inflates to more than {} bytes, expected just these", expected)
                      : fmt::format("got a chunk that inflates to {} bytes, expected {}", got, expected));
}

void Hdf5Chunks::refuse_row(int64_t row, const std::string& message) const {
  file_.refuse(message, fmt::format("{}, row {}", name_, row));
}

void Hdf5Chunks::refuse_stored(int64_t row, uint64_t bytes, unsigned skipped) const {
  const Sizes sizes = stored_sizes(skipped);
  refuse_row(row, fmt::format("got a chunk that is stored in {} bytes, expected {}{}", bytes,
                              sizes.least < sizes.most ? fmt::format("{} to ", sizes.least) : "", sizes.most));
}

}  // namespace amae
