// What a dataset plugin provides: columns over rows, and a thread-safe load of one row.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "amae/signal.h"

namespace amae {

/// A text of each row, e.g. its modulation. Distinct texts are kept once.
struct TextColumn {
  std::vector<std::string> values;  ///< each text once
  std::vector<int32_t> index;       ///< of each row into `values`; -1: the row has none
};

/// Columns, not row objects: millions of rows must cost megabytes. Rows are 0..size()-1, in an order that never changes
/// between runs. The constructor checks what can be checked without decoding (missing files, bad labels, fold numbers)
/// and throws one InputError that lists every problem. Splits are the core's job.
class Dataset {
 public:
  virtual ~Dataset();

  [[nodiscard]] virtual int64_t size() const = 0;

  /// Unique, stable name of a row, e.g. the file name; shown to people and written to predictions.csv.
  [[nodiscard]] virtual std::string id(int64_t row) const = 0;

  /// The file that a row is loaded from, for people and for players; empty where it has none of its own.
  [[nodiscard]] virtual std::string path(int64_t /*row*/) const { return ""; }

  /// Decodes one row. Thread-safe. Throws InputError that names the file.
  [[nodiscard]] virtual Signal load(int64_t row) const = 0;

  /// What load() will give; sizes or rates that vary are -1 or 0.
  [[nodiscard]] virtual Spec spec() const = 0;

  /// What load(row) will give, as far as a file's header tells. Cheap beside load(). Thread-safe. Throws as load()
  /// does.
  [[nodiscard]] virtual Spec row_spec(int64_t /*row*/) const { return spec(); }

  /// What happens to a row whose load() throws InputError. false: the run stops with that error. true: the row is left
  /// out of every split, counted and listed; its labels, fold and group still count for nothing else.
  [[nodiscard]] virtual bool skips_bad_rows() const { return false; }

  /// Class names in label order; empty when there are no labels.
  [[nodiscard]] virtual const std::vector<std::string>& classes() const = 0;

  /// int64 [rows] class indices, or float32 [rows, K] of 0/1 for several labels a row; undefined without labels.
  [[nodiscard]] virtual at::Tensor labels() const = 0;

  /// Published fold of each row (any numbers), or empty.
  [[nodiscard]] virtual std::vector<int64_t> folds() const { return {}; }

  /// Rows of one group (same source recording) never part across splits; any numbers, or empty.
  [[nodiscard]] virtual std::vector<int64_t> groups() const { return {}; }

  /// Numeric columns by name (e.g. "snr"), each of size() values.
  [[nodiscard]] virtual std::map<std::string, std::vector<double>> columns() const { return {}; }

  /// Text columns by name (e.g. "modulation"), none of which is also a numeric column.
  [[nodiscard]] virtual std::map<std::string, TextColumn> text_columns() const { return {}; }

  /// Hash of all that determines load(row): the file's bytes, or the generator's parameters. Hex text; never a time
  /// stamp. It is the cache key of the row.
  [[nodiscard]] virtual std::string content_hash(int64_t row) const = 0;
};

}  // namespace amae
