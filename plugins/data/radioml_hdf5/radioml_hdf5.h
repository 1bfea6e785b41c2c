// RML2018.01A (O'Shea, Roy & Clancy 2018): 2,555,904 IQ frames of 1024 samples under 24 modulations and 26 SNRs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "frames_file.h"

namespace amae {

struct RadioMlHdf5Options {
  std::string file;
  std::vector<std::string> classes;

  void describe(Fields& fields) {
    fields.add("file", file, "GOLD_XYZ_OSC.0001_1024.hdf5, or any file with X, Y and Z as it has them")
        .path()
        .required();
    fields.add("classes", classes,
               "names of the columns of Y; empty: the 24 of RML2018.01A in their true order, which is not that of the "
               "classes.txt that comes with it");
  }
};

/// Rows are those of the file, in its order; ids are "QPSK/-4/0106496", the last part the row. Columns: "snr" in dB,
/// "modulation". Frames are read when they are asked for, one at a time: in memory are labels and SNRs, 10 bytes a row
/// (14 while it is opened), and 64 MiB of chunks (hdf5_table.h). The sample rate is unknown.
///
/// The file is opened in a child process first, so that one that HDF5 cannot bear does no harm here (rehearsal.h).
class RadioMlHdf5 final : public Dataset {
 public:
  /// Throws InputError as FramesFile does and when `classes` are not as many as Y has columns, or a name is there
  /// twice; EnvironmentError as open_hdf5() does.
  explicit RadioMlHdf5(const RadioMlHdf5Options& options);
  ~RadioMlHdf5() override;

  [[nodiscard]] int64_t size() const override { return labels_.size(0); }
  [[nodiscard]] std::string id(int64_t row) const override;
  /// [2, L]. Throws InputError (field "X, row N") for numbers that are not finite or cannot be read.
  [[nodiscard]] Signal load(int64_t row) const override;
  [[nodiscard]] Spec spec() const override { return {Domain::iq, {2, samples_}, 0}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return labels_; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override;
  /// Of the frame's numbers; reads them.
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  void check_classes(int64_t columns) const;
  void check_row(int64_t row) const;

  std::unique_ptr<const RegularFile> file_;
  std::unique_ptr<const FramesFile> frames_;
  std::vector<std::string> classes_;
  int64_t samples_ = 0;
  at::Tensor labels_;
  std::vector<int16_t> snr_db_;
};

}  // namespace amae
