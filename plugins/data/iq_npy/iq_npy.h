// IQ frames in NumPy arrays, with a table of labels.
#pragma once

#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "frame_table.h"
#include "iq_array.h"

namespace amae {

struct IqNpyOptions {
  std::vector<std::string> files;
  std::string array;
  std::string layout = "auto";
  std::string labels;
  std::string label = "modulation", fold = "fold", group = "group";
  std::vector<std::string> classes;
  double rate = 0;

  void describe(Fields& fields) {
    fields.add("files", files, ".npy or .npz files of IQ frames, whose rows follow one another").path().required();
    fields.add("array", array, "name of the array in .npz files; empty: their only one");
    fields
        .add("layout", layout,
             "channels_first: [N, 2, L]; channels_last: [N, L, 2]; auto: told by which axis is 2; complex arrays are "
             "[N, L] in any case")
        .choices({"auto", "channels_first", "channels_last"});
    fields.add("labels", labels, "CSV table with a line for each frame, in their order; empty: there is none").path();
    fields.add("label", label, "column of the labels; empty: there are none");
    fields.add("fold", fold, "column of the fold numbers, used where the table has it; empty: never");
    fields.add("group", group, "column of the source recordings, used where the table has it; empty: never");
    fields.add("classes", classes, "names of the classes in label order; empty: those that occur, sorted");
    fields.add("rate", rate, "samples per second; 0: unknown").unit("Hz").range(0, 1e12);
  }
};

/// Frames are read when they are asked for; in memory are headers and columns. Ids are FILE#ROW. Columns: every other
/// one of the table, and the label as the texts "modulation".
class IqNpy final : public Dataset {
 public:
  /// Throws InputError as IqArray and read_frame_table() do.
  explicit IqNpy(const IqNpyOptions& options);

  [[nodiscard]] int64_t size() const override { return first_row_.back(); }
  [[nodiscard]] std::string id(int64_t row) const override;
  [[nodiscard]] Signal load(int64_t row) const override;
  [[nodiscard]] Spec spec() const override { return spec_; }
  [[nodiscard]] Spec row_spec(int64_t row) const override;
  [[nodiscard]] const std::vector<std::string>& classes() const override { return table_.classes; }
  [[nodiscard]] at::Tensor labels() const override { return table_.labels; }
  [[nodiscard]] std::vector<int64_t> folds() const override { return table_.folds; }
  [[nodiscard]] std::vector<int64_t> groups() const override { return table_.groups; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override { return table_.numbers; }
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override { return table_.texts; }
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  [[nodiscard]] size_t file_of(int64_t row) const;

  std::vector<std::string> names_;  // of the files, in ids
  std::vector<IqArray> arrays_;
  std::vector<int64_t> first_row_;  // of each file, and behind the last
  FrameTable table_;
  Spec spec_;
};

}  // namespace amae
