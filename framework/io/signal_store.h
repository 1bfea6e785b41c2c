// A data set in two files: all samples one after another, and an index of columns. No decoder, no million small files.
//
//   samples.bin        each row's samples [C, N] in C order, little-endian: 16-bit integers (full scale 32768) where
//                      these say exactly what the samples are, else float32
//   index.safetensors  a tensor for each column, R rows:
//                        offset [R] int64, bits [R] uint8 (16 or 32), channels [R] int64, frames [R] int64,
//                        rate_hz [R] float64; id_bytes [..] uint8 and id_ends [R] int64: the ids one after another;
//                        and those that the data set has: labels [R] int64 or [R, K] float32, folds [R], groups [R]
//                        int64, column.NAME [R] float64
//                      and, as its metadata, format ("amae signal store 1"), domain, classes (a JSON list of names),
//                      samples_bytes
#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "amae/signal.h"
#include "amae/transform.h"  // TensorDict
#include "io/regular_file.h"

namespace amae {

/// What a store knows of its rows beside their samples; as a Dataset gives it.
struct StoreColumns {
  Domain domain = Domain::audio;
  std::vector<std::string> classes;
  std::vector<std::string> ids;
  at::Tensor labels;  ///< int64 [R], float32 [R, K] or undefined
  std::vector<int64_t> folds, groups;
  std::map<std::string, std::vector<double>> columns;
};

/// Writes a store into a folder; not durable by itself (AtomicFolder).
class StoreWriter {
 public:
  /// Throws EnvironmentError, as all that follows does, when the disk says no.
  explicit StoreWriter(std::filesystem::path folder);
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  void add(const Signal& signal);            ///< the next row
  void finish(const StoreColumns& columns);  ///< of the rows that were added
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  void write(const void* data, size_t count);

  std::filesystem::path folder_;
  std::FILE* file_ = nullptr;
  int64_t bytes_ = 0;
  std::vector<int64_t> offsets_, bits_, channels_, frames_;
  std::vector<double> rates_;
};

/// Reads a store. Thread-safe. Everything in the index is checked when it is opened: sizes, ranges, that each row lies
/// within samples.bin, that labels name classes. Throws InputError (code STORE, where = the file, field = the column).
class StoreReader {
 public:
  explicit StoreReader(const std::filesystem::path& folder);

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(offsets_.size()); }
  [[nodiscard]] const StoreColumns& columns() const { return columns_; }
  [[nodiscard]] Spec spec(int64_t row) const;
  [[nodiscard]] Signal load(int64_t row) const;
  /// Hash of the row's shape, rate, type and bytes; hex text.
  [[nodiscard]] std::string content_hash(int64_t row) const;

 private:
  [[nodiscard]] std::string bytes_of(int64_t row) const;
  void read_index(const std::filesystem::path& path);

  std::unique_ptr<RegularFile> samples_;
  StoreColumns columns_;
  std::vector<int64_t> offsets_, bits_, channels_, frames_;
  std::vector<double> rates_;
};

}  // namespace amae
