// The arrays of a RadioML pickle: {("QPSK", -4): array [N, 2, L], …}, one cell of frames for each modulation and SNR.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/pickle_array.h"

namespace amae {

struct RadioMlCell {
  size_t modulation = 0;  ///< index into RadioMlCells::modulations
  double snr_db = 0;
  PickledArray frames;  ///< [N, 2, L]: row 0 in-phase, row 1 quadrature
};

struct RadioMlCells {
  std::unique_ptr<const Pickle> pickle;  ///< owns the arrays' bytes
  std::vector<std::string> modulations;  ///< sorted
  std::vector<RadioMlCell> cells;        ///< by modulation, then by SNR: the order of a dict is no order of ours
  int64_t samples = 0;                   ///< L, of every frame
};

/// Reads a pickle of protocol 0 to 5, of Python 2 or 3. Arrays are float16, float32 or float64 in either byte order, C
/// or Fortran order; keys are (text or bytes, number). With `is_complete`, every modulation has every SNR, with equally
/// many frames. Throws InputError (code RADIOML, where = the file, field = "(QPSK, -4)" or "byte N") with up to 20
/// problems; nothing in the file is run (io/pickle.h). Values are not looked at.
RadioMlCells read_radioml(const std::filesystem::path& path, bool is_complete);

/// "(QPSK, -4)", as messages name a cell.
std::string cell_text(const std::string& modulation, double snr_db);

}  // namespace amae
