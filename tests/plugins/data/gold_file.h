// HDF5 files of the form of RML2018.01A with one thing wrong, and what must be said of it: for the tests of the reader
// and of the program.
#pragma once

#include <zlib.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "plugins/data/radioml_hdf5/hdf5_file.h"

namespace amae {

/// Six frames of eight samples under three classes; every part can be replaced. No other thread may use HDF5 meanwhile.
class GoldFile {
 public:
  using Write = std::function<void(hid_t file)>;
  static constexpr hsize_t kRows = 6, kLength = 8, kTypes = 3;

  GoldFile() : x(kRows * kLength * 2, 0.5F), y(kRows * kTypes, 0), z(kRows, 10) {
    for (size_t row = 0; row < kRows; ++row) y[row * kTypes + row % kTypes] = 1;
  }

  void write() const {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const Hdf5Id file(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    REQUIRE(file.is_open());
    write_x(file.get());
    write_y(file.get());
    write_z(file.get());
  }
  [[nodiscard]] std::string path() const { return (folder_.path() / "gold.h5").string(); }

  static void dataset(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& shape, hid_t memory_type,
                      const void* data, hid_t creation = H5P_DEFAULT) {
    std::vector<hsize_t> most = shape;
    if (creation != H5P_DEFAULT && H5Pget_layout(creation) == H5D_CHUNKED)
      most[0] = H5S_UNLIMITED;  // larger chunks too
    const Hdf5Id space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), most.data()), H5Sclose);
    const Hdf5Id set(H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose);
    REQUIRE(set.is_open());
    if (data != nullptr) REQUIRE(H5Dwrite(set.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  }
  /// dataset(), later.
  static Write writes(const char* name, hid_t type, const std::vector<hsize_t>& shape, hid_t memory_type,
                      const void* data) {
    return [=](hid_t file) { dataset(file, name, type, shape, memory_type, data); };
  }

  /// What X of frames of this length is created by: chunks of so many frames, so many times through deflate.
  static Hdf5Id chunks(hsize_t frames, int deflates, hsize_t length = kLength) {
    const std::array<hsize_t, 3> chunk = {frames, length, 2};
    Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), 3, chunk.data());
    for (int i = 0; i < deflates; ++i) H5Pset_deflate(creation.get(), 9);
    return creation;
  }
  /// X in such chunks; null `data`: not written.
  static void chunked_x(hid_t file, hsize_t rows, const Hdf5Id& creation, const float* data, hsize_t length = kLength) {
    dataset(file, "X", H5T_IEEE_F32LE, {rows, length, 2}, H5T_NATIVE_FLOAT, data, creation.get());
  }
  /// X's chunk that begins at `row`, stored as it is; `skipped`: a bit for each filter that it is left out of.
  static void store_chunk(hid_t file, hsize_t row, uint32_t skipped, const std::string& bytes) {
    const Hdf5Id set(H5Dopen2(file, "X", H5P_DEFAULT), H5Dclose);
    const std::array<hsize_t, 3> offset = {row, 0, 0};
    REQUIRE(H5Dwrite_chunk(set.get(), H5P_DEFAULT, skipped, offset.data(), bytes.size(), bytes.data()) >= 0);
  }

  std::vector<float> x;
  std::vector<int64_t> y, z;
  Write write_x = [this](hid_t file) { writes("X", H5T_IEEE_F32LE, kShape, H5T_NATIVE_FLOAT, x.data())(file); };
  Write write_y = [this](hid_t file) { writes("Y", H5T_STD_I64LE, {kRows, kTypes}, H5T_NATIVE_INT64, y.data())(file); };
  Write write_z = [this](hid_t file) { writes("Z", H5T_STD_I64LE, {kRows, 1}, H5T_NATIVE_INT64, z.data())(file); };

  static inline const std::vector<hsize_t> kShape = {kRows, kLength, 2};  ///< of X

 private:
  TemporaryFolder folder_;
};

/// The zlib stream of these bytes.
inline std::string deflated(const std::string& bytes) {
  std::string stream(compressBound(static_cast<uLong>(bytes.size())), '\0');
  auto size = static_cast<uLongf>(stream.size());
  REQUIRE(compress2(reinterpret_cast<Bytef*>(stream.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                    static_cast<uLong>(bytes.size()), 9) == Z_OK);
  stream.resize(size);
  return stream;
}

/// A change to a good file, and "FIELD: MESSAGE", or its beginning, of what is then refused.
struct GoldFault {
  std::function<void(GoldFile&)> change;
  std::string refusal;
};

/// Datasets that are missing or of another type or shape.
inline std::vector<GoldFault> gold_form_faults() {
  using G = GoldFile;
  return {
      {[](G& g) { g.write_y = [](hid_t) {}; }, "Y: is missing, expected datasets X, Y and Z"},
      {[](G& g) { g.write_x = G::writes("X", H5T_STD_I16LE, G::kShape, H5T_NATIVE_FLOAT, g.x.data()); },
       "X: got 16-bit integers, expected 32-bit or 64-bit IEEE floats"},
      {[](G& g) {
         g.write_y = G::writes("Y", H5T_IEEE_F32LE, {G::kRows, G::kTypes}, H5T_NATIVE_FLOAT, nullptr);
       },
       "Y: got 32-bit floats, expected integers"},
      {[](G& g) {
         g.write_z = G::writes("Z", H5T_STD_I64LE, {G::kRows - 1, 1}, H5T_NATIVE_INT64, g.z.data());
       },
       "Z: got [5, 1], expected [6, 1], a row for each of X"},
      {[](G& g) { g.write_y = G::writes("Y", H5T_STD_I64LE, {G::kRows * G::kTypes}, H5T_NATIVE_INT64, g.y.data()); },
       "Y: got [18], expected [6, classes]"},
      {[](G& g) {
         g.write_x = G::writes("X", H5T_IEEE_F32LE, {G::kRows, G::kLength * 2}, H5T_NATIVE_FLOAT, g.x.data());
       },
       "X: got [6, 16], expected [N, L, 2] or [N, 2, L]"},
      {[](G& g) {
         g.write_x = G::writes("X", H5T_IEEE_F32LE, {G::kRows, 2, 2}, H5T_NATIVE_FLOAT, g.x.data());
       },
       "X: got [6, 2, 2], where two axes could be I and Q"},
      {[](G& g) { g.write_x = [](hid_t f) { H5Gclose(H5Gcreate2(f, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }; },
       "X: cannot be opened"},
      {[](G& g) {
         g.write_z = [](hid_t f) {
           const Hdf5Id space(H5Screate(H5S_SCALAR), H5Sclose);
           H5Dclose(H5Dcreate2(f, "Z", H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
         };
       },
       "Z: got no array"},
  };
}

/// Rows of Y and Z that are no class and no SNR.
inline std::vector<GoldFault> gold_row_faults() {
  return {
      {[](GoldFile& g) { g.y[4 * GoldFile::kTypes + 1] = 0; }, "Y, row 4: got 0 ones, expected one 1 among zeros"},
      {[](GoldFile& g) { g.y[4 * GoldFile::kTypes + 2] = 1; }, "Y, row 4: got 2 ones"},
      {[](GoldFile& g) { g.y[5 * GoldFile::kTypes + 0] = -1; }, "Y, row 5: got 1 ones and other numbers"},
      {[](GoldFile& g) { g.z[2] = 5000; }, "Z, row 2: got 5000, expected an SNR"},
  };
}

/// Whatever would lead out of the file.
inline std::vector<GoldFault> gold_ways_out() {
  using G = GoldFile;
  const auto x_by = [](const Hdf5Id& creation, hid_t file) {
    G::dataset(file, "X", H5T_IEEE_F32LE, G::kShape, H5T_NATIVE_FLOAT, nullptr, creation.get());
  };
  return {
      {[](G& g) {
         g.write_x = [](hid_t f) { H5Lcreate_external("/etc/passwd", "/X", f, "X", H5P_DEFAULT, H5P_DEFAULT); };
       },
       "X: got a link that leads elsewhere"},
      {[](G& g) { g.write_x = [](hid_t f) { H5Lcreate_soft("/Y", f, "X", H5P_DEFAULT, H5P_DEFAULT); }; },
       "X: got a link that leads elsewhere"},
      {[=](G& g) {
         g.write_x = [=](hid_t f) {
           const Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
           H5Pset_external(creation.get(), "/etc/passwd", 0, H5F_UNLIMITED);
           x_by(creation, f);
         };
       },
       "X: got external storage"},
      {[=](G& g) {
         g.write_x = [=](hid_t f) {
           const Hdf5Id space(H5Screate_simple(3, G::kShape.data(), nullptr), H5Sclose);
           const Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
           H5Pset_virtual(creation.get(), space.get(), "/tmp/other.h5", "X", space.get());
           x_by(creation, f);
         };
       },
       "X: got a virtual dataset"},
      {[=](G& g) {
         g.write_x = [=](hid_t f) {
           const Hdf5Id creation = G::chunks(1, 0);
           H5Pset_filter(creation.get(), 32001, H5Z_FLAG_OPTIONAL, 0, nullptr);  // Blosc
           x_by(creation, f);
         };
       },
       "X: got filter 32001"},
  };
}

/// Values that the file only claims to have, and chunks that cannot be what they are said to be.
inline std::vector<GoldFault> gold_size_faults() {
  using G = GoldFile;
  const auto claimed = [](hsize_t rows, hsize_t chunk_rows, int deflates) {
    return [=](G& g) { g.write_x = [=](hid_t f) { G::chunked_x(f, rows, G::chunks(chunk_rows, deflates), nullptr); }; };
  };
  const auto stored = [](uint32_t skipped, const std::string& bytes) {
    return [=](G& g) {
      g.write_x = [=, &g](hid_t f) {
        G::chunked_x(f, G::kRows, G::chunks(1, 1), g.x.data());
        G::store_chunk(f, 2, skipped, bytes);
      };
    };
  };
  return {
      {[](G& g) {
         g.write_x = G::writes("X", H5T_IEEE_F32LE, {hsize_t{1} << 40, G::kLength, 2}, H5T_NATIVE_FLOAT, nullptr);
       },
       "X: got [1099511627776, 8, 2] of 32-bit floats, which is more than a file of"},
      {claimed(hsize_t{1} << 40, 4, 1), "X: got [1099511627776, 8, 2] of 32-bit floats, which is more than a file of"},
      {claimed(hsize_t{1} << 56, 4, 1), "X: got [72057594037927936, 8, 2] of 32-bit floats, which is more than"},
      {claimed(6, 4, 0), "X: got 0 chunks, expected 2"},
      {claimed(6, hsize_t{1} << 21, 1), "X: got chunks of 128.0 MiB, expected at most 64.0 MiB"},
      {[](G& g) { g.write_x = G::writes("X", H5T_IEEE_F32LE, G::kShape, H5T_NATIVE_FLOAT, nullptr); },
       "X: got [6, 8, 2] that was never written"},
      {claimed(6, 4, 2), "X: got filter 1 (deflate) twice, expected once"},
      {[](G& g) {
         g.write_x = [](hid_t f) {
           const Hdf5Id creation = G::chunks(4, 1);
           H5Pset_shuffle(creation.get());
           G::chunked_x(f, 6, creation, nullptr);
         };
       },
       "X: got filters that shuffle what is deflated"},
      {stored(0, std::string(200, 'x')), "X, row 2: got a chunk that is stored in 200 bytes, expected 1 to 128"},
      {stored(1, std::string(16, 'x')), "X, row 2: got a chunk that is stored in 16 bytes, expected 64"},
      {[](G& g) {
         g.write_x = [](hid_t f) {
           const Hdf5Id creation = G::chunks(4, 1);
           H5Pset_chunk_opts(creation.get(), H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
           G::chunked_x(f, 6, creation, nullptr);
         };
       },
       "X: got chunks at the edges that are left out of the filters"},
  };
}

}  // namespace amae
