// NumPy arrays: any bytes are an array whose rows lie within the file, or refused. What begins as a zip archive goes
// through libzip, as .npz.
#include "amae/error.h"
#include "io/npy_array.h"
#include "target.h"

AMAE_FUZZ_TARGET(npy)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file;
  file.put(amae::fuzz::text_of(data, size));
  try {
    const amae::NpyArray array = amae::open_npy_array(file.path(), "");
    amae::fuzz::require(array.row_bytes() <= size, "a row is no longer than the file");
    if (array.row_bytes() == 0) return 0;
    amae::fuzz::require(array.rows() <= static_cast<int64_t>(size), "rows never outnumber bytes");
    for (int64_t row = 0; row < array.rows(); ++row)
      amae::fuzz::require(array.read_row(row).size() == array.row_bytes(), "every row is there");
  } catch (const amae::Error&) {  // refused
  }
  return 0;
}
