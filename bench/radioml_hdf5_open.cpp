// Time and memory of opening an HDF5 file of the form and size of RML2018.01A: 2,555,904 rows, and of loading rows at
// random. X is reserved but not written (a sparse file of 21 GB that takes 0.5 GB of disk, all zeros).
//
//   radioml_hdf5_open FILE [rows=2555904]
//
// Writes FILE when it is not there; remove it afterwards.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

#include "bench/peak_memory.h"
#include "plugins/data/radioml_hdf5/radioml_hdf5.h"

namespace {

constexpr hsize_t kSamples = 1024, kClasses = 24, kSlice = 1 << 16;

/// Writes [rows, width] a slice at a time; `fill(row, numbers)`.
template <class Fill>
void write_integers(hid_t file, const char* name, hsize_t rows, hsize_t width, const Fill& fill) {
  const std::array<hsize_t, 2> shape = {rows, width};
  const amae::Hdf5Id space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
  const amae::Hdf5Id set(H5Dcreate2(file, name, H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                         H5Dclose);
  for (hsize_t first = 0; first < rows; first += kSlice) {
    const std::array<hsize_t, 2> start = {first, 0}, count = {std::min(kSlice, rows - first), width};
    std::vector<int64_t> numbers(count[0] * width, 0);
    for (hsize_t i = 0; i < count[0]; ++i) fill(first + i, numbers.data() + i * width);
    const amae::Hdf5Id memory(H5Screate_simple(2, count.data(), nullptr), H5Sclose);
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
    H5Dwrite(set.get(), H5T_NATIVE_INT64, memory.get(), space.get(), H5P_DEFAULT, numbers.data());
  }
}

void write_file(const char* path, hsize_t rows) {
  const auto lock = amae::lock_hdf5();
  const amae::Hdf5Id file(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  const amae::Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  const std::array<hsize_t, 3> shape = {rows, kSamples, 2};
  const amae::Hdf5Id space(H5Screate_simple(3, shape.data(), nullptr), H5Sclose);
  H5Dclose(H5Dcreate2(file.get(), "X", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
  const hsize_t per_class = std::max<hsize_t>(rows / kClasses, 1);
  write_integers(file.get(), "Y", rows, kClasses,
                 [&](hsize_t row, int64_t* numbers) { numbers[std::min(row / per_class, kClasses - 1)] = 1; });
  write_integers(file.get(), "Z", rows, 1,
                 [](hsize_t row, int64_t* number) { *number = -20 + 2 * static_cast<int64_t>(row / 4096 % 26); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_radioml_hdf5_open FILE [rows=2555904]\n");
    return 2;
  }
  if (!std::filesystem::exists(argv[1])) {
    std::printf("writing %s\n", argv[1]);
    write_file(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'555'904);
  }
  std::unique_ptr<amae::RadioMlHdf5> data;
  const amae::bench::Cost open = amae::bench::cost_of([&] {
    data = std::make_unique<amae::RadioMlHdf5>(amae::RadioMlHdf5Options{argv[1], {}});
  });
  std::printf("%lld rows in a file of %.1f GB\n", static_cast<long long>(data->size()),
              static_cast<double>(std::filesystem::file_size(argv[1])) / 1e9);
  std::printf("opened in %.2f s, peak %.0f MB beyond the %.0f MB before\n", open.seconds, open.peak_mb - open.before_mb,
              open.before_mb);
  constexpr int kLoads = 10'000;
  std::mt19937_64 generator(1);
  const amae::bench::Cost load = amae::bench::cost_of([&] {
    for (int i = 0; i < kLoads; ++i)
      static_cast<void>(data->load(static_cast<int64_t>(generator() % static_cast<uint64_t>(data->size()))));
  });
  std::printf("%.1f us a row at random, peak %.0f MB more\n", load.seconds * 1e6 / kLoads,
              load.peak_mb - load.before_mb);
  const amae::bench::Cost columns = amae::bench::cost_of([&] {
    static_cast<void>(data->columns());
    static_cast<void>(data->text_columns());
  });
  std::printf("columns: %.2f s, peak %.0f MB more\n", columns.seconds, columns.peak_mb - columns.before_mb);
  return 0;
}
