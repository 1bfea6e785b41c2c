// ESC-50 and any recordings laid out like it: ROOT/audio/* and ROOT/meta/esc50.csv.
// Source of the data set: Piczak 2015, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia.
#pragma once

#include <filesystem>
#include <mutex>

#include "amae/dataset.h"
#include "amae/options.h"

namespace amae {

struct Esc50Options {
  std::string root;
  std::string subset = "all";

  void describe(Fields& fields) {
    fields.add("root", root, "folder that holds audio/ and meta/esc50.csv; tools/get_esc50 fetches it")
        .path()
        .required();
    fields.add("subset", subset, "all: every row of the table; esc10: the rows marked esc10=True")
        .choices({"all", "esc10"});
  }
};

/// Rows in the order of meta/esc50.csv, whose columns filename, fold, target, category and src_file are used (and esc10
/// for that subset). Any format that io/audio.h reads; where a file of the table is absent, the same stem with .wav,
/// .flac or .ogg is taken. Classes are the categories of the rows kept, in order of their target; labels count from 0
/// without gaps, the target of the table stays as the column "target". Groups are source recordings (src_file).
///
/// The constructor reads the table and every file's header, and throws one InputError with the first 20 problems and
/// the count of the others: codes DATA-FILE (a file or folder), DATA-CSV (a row; where = file:line), CSV and AUDIO.
class Esc50 final : public Dataset {
 public:
  explicit Esc50(const Esc50Options& options);

  [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  [[nodiscard]] std::string id(int64_t row) const override { return at(row).name; }
  [[nodiscard]] Signal load(int64_t row) const override;
  [[nodiscard]] Spec spec() const override { return spec_; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return labels_; }
  [[nodiscard]] std::vector<int64_t> folds() const override;
  [[nodiscard]] std::vector<int64_t> groups() const override;
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  /// Hash of the file's bytes; computed on first use, then kept.
  [[nodiscard]] std::string content_hash(int64_t row) const override;

  struct Row {
    int line = 0;  ///< of the table
    std::string name;
    std::string category;
    int64_t target = 0;
    int64_t fold = 0;
    int64_t group = 0;
    std::filesystem::path file;
  };

 private:
  [[nodiscard]] const Row& at(int64_t row) const { return rows_.at(static_cast<size_t>(row)); }
  void number_classes();

  std::vector<Row> rows_;
  std::vector<std::string> classes_;
  at::Tensor labels_;  // [rows] int64
  Spec spec_;
  mutable std::mutex hashes_mutex_;
  mutable std::vector<std::string> hashes_;  // empty: not computed yet
};

}  // namespace amae
