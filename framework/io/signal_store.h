// A data set in two files: all samples one after another, and an index of columns. No decoder, no million small files,
// and open at once: the index is read, the samples stay where they are until they are asked for.
//
//   samples.bin        each row's samples [C, N] in C order, little-endian: 16-bit integers (full scale 32768) where
//                      these say exactly what the samples are, else float32
//   index.safetensors  a tensor for each column, R rows:
//                        bits uint8 (16 or 32), channels int64, frames int64, rate_hz float64, each [R], or [1] where
//                        it is the same in all rows; offset [R] int64, absent where all of those are [1]: such rows
//                        follow one another; id_bytes [..] uint8 and id_ends [R] int64: the ids one after another;
//                        and those that the data set has: labels [R] int64 or [R, K] float32, folds [R], groups [R]
//                        int64, column.NAME [R] float64, text.NAME [R] int32: the place of each row's text among
//                        text_bytes.NAME [..] uint8 and text_ends.NAME [V] int64, or -1
//                      and, as its metadata, format ("amae signal store 1"), domain, classes (a JSON list of names),
//                      samples_bytes
#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/transform.h"  // TensorDict
#include "io/regular_file.h"

namespace amae {

/// What a store knows of its rows beside their samples; as a Dataset gives it.
struct StoreColumns {
  Domain domain = Domain::audio;
  std::vector<std::string> classes;
  std::vector<std::string> ids;  ///< of a store that is read: none, StoreReader::id() makes them
  at::Tensor labels;             ///< int64 [R], float32 [R, K] or undefined
  std::vector<int64_t> folds, groups;
  std::map<std::string, std::vector<double>> columns;
  std::map<std::string, TextColumn> texts;
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

  [[nodiscard]] int64_t size() const { return rows_; }
  [[nodiscard]] const StoreColumns& columns() const { return columns_; }
  [[nodiscard]] std::string id(int64_t row) const;
  [[nodiscard]] Spec spec(int64_t row) const;
  [[nodiscard]] Spec common_spec() const;  ///< of all rows; what differs is -1, or 0 for the rate
  [[nodiscard]] Signal load(int64_t row) const;
  /// Hash of the row's shape, rate, type and bytes; hex text.
  [[nodiscard]] std::string content_hash(int64_t row) const;

 private:
  /// Where a row's samples are and what they are.
  struct Place {
    int64_t offset, bits, channels, frames;
    double rate_hz;
    [[nodiscard]] int64_t bytes() const { return channels * frames * (bits / 8); }
  };
  [[nodiscard]] Place place(int64_t row) const;
  void read_index(const std::filesystem::path& path);

  std::unique_ptr<RegularFile> samples_;
  StoreColumns columns_;
  int64_t rows_ = 0;
  std::string id_bytes_;
  std::vector<int64_t> id_ends_;
  std::vector<int64_t> offsets_;                   // empty: rows of one size follow one another
  std::vector<int64_t> bits_, channels_, frames_;  // of each row, or one for all
  std::vector<double> rates_;
};

}  // namespace amae
