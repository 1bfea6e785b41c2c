// RML2016.10a's file format out: a Python 2 pickle of protocol 0, a dict {(modulation, SNR): float32 array [N, 2, L]}.
// Python reads it with pickle.load(file, encoding="latin1") and NumPy.
// Source: CPython, Lib/pickletools.py (opcodes); NumPy's ndarray.__reduce__ for the array's parts.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace amae {

/// Writes as it goes, beside `path`, so that memory does not grow with the file; finish() renames. Without finish() the
/// destructor removes what there is.
class RadiomlWriter {
 public:
  /// Throws EnvironmentError when the file cannot be made.
  explicit RadiomlWriter(std::filesystem::path path);
  ~RadiomlWriter();
  RadiomlWriter(const RadiomlWriter&) = delete;
  RadiomlWriter& operator=(const RadiomlWriter&) = delete;

  /// One array. `values` are those of `shape` [N, 2, L], the last index fastest. `modulation` is printable ASCII; the
  /// caller gives each (modulation, snr_db) once. Throws EnvironmentError when the disk says no.
  void add(const std::string& modulation, int64_t snr_db, std::span<const float> values, std::array<int64_t, 3> shape);

  /// Makes the file whole and durable; returns its bytes. Throws EnvironmentError.
  uint64_t finish();

 private:
  void put(std::string_view text);
  void put_string(std::string_view bytes);
  void put_shared(const std::string& name, const std::string& opcodes);
  [[noreturn]] void fail(const char* doing) const;

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
  std::map<std::string, int> memo_;  // what was written once and is referred to from then on
  uint64_t bytes_ = 0;
};

}  // namespace amae
