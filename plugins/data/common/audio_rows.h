// The data set that every table of sound files becomes.
#pragma once

#include <array>
#include <mutex>

#include "amae/dataset.h"
#include "audio_table.h"

namespace amae {

/// Rows are decoded on demand; of a section, nothing but the section. Groups: those of the table; where it has none and
/// files have several rows, the file is the group, so that a recording does not part across splits unseen.
class AudioRows : public Dataset {
 public:
  explicit AudioRows(AudioTable table);

  [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(table_.size()); }
  [[nodiscard]] std::string id(int64_t row) const override { return table_.id(checked(row)); }
  [[nodiscard]] std::string path(int64_t row) const override { return table_.path_of(table_.file[checked(row)]); }
  [[nodiscard]] Signal load(int64_t row) const override;
  [[nodiscard]] Spec spec() const override { return spec_; }
  [[nodiscard]] Spec row_spec(int64_t row) const override;
  [[nodiscard]] bool skips_bad_rows() const override { return table_.rules.skips_bad; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return table_.classes; }
  [[nodiscard]] at::Tensor labels() const override { return table_.labels; }
  [[nodiscard]] std::vector<int64_t> folds() const override { return {table_.fold.begin(), table_.fold.end()}; }
  [[nodiscard]] std::vector<int64_t> groups() const override;
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override { return table_.columns; }
  /// Hash of the file's bytes, with the frames of the section; a file's is computed on first use, then kept.
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  [[nodiscard]] size_t checked(int64_t row) const;
  [[nodiscard]] FileFacts facts_of(size_t row) const;
  [[nodiscard]] std::string file_hash(uint32_t file) const;

  AudioTable table_;
  Spec spec_;
  mutable std::mutex hashes_mutex_;
  mutable std::vector<std::array<char, 32>> hashes_;  // of files; zeros: not yet known
};

}  // namespace amae
