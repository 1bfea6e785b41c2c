// RML2016.10a and RML2016.10b (O'Shea & West 2016): IQ frames of 128 samples under 11 or 10 modulations and 20 SNRs.
#pragma once

#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "io/sample_type.h"
#include "radioml_cells.h"

namespace amae {

struct RadioMlOptions {
  std::string file;
  bool complete = true;

  void describe(Fields& fields) {
    fields.add("file", file, "RML2016.10a_dict.pkl, RML2016.10b.dat, or any pickle of the same form").path().required();
    fields.add("complete", complete,
               "refuse a file in which a pair of modulation and SNR is missing or has another number of frames");
  }
};

/// Row order: modulations sorted, within them SNRs rising, within them as in the array; ids are "QPSK/-4/0017".
/// Columns: "snr" in dB as the label says it, "modulation". All frames stay in memory, in the bytes of the file's
/// arrays; the sample rate is unknown. float64 is rounded to float32.
class RadioMl final : public Dataset {
 public:
  /// Reads the whole file and checks every number. Throws InputError as read_radioml() does, and for a frame with a
  /// number that is not finite.
  explicit RadioMl(const RadioMlOptions& options);

  [[nodiscard]] int64_t size() const override { return first_row_.back(); }
  [[nodiscard]] std::string id(int64_t row) const override;
  [[nodiscard]] Signal load(int64_t row) const override;  ///< [2, L]
  [[nodiscard]] Spec spec() const override { return {Domain::iq, {2, data_.samples}, 0}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return data_.modulations; }
  [[nodiscard]] at::Tensor labels() const override;
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override;
  /// Of the frame's numbers: the same in every protocol, byte order and array order.
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  [[nodiscard]] size_t cell_of(int64_t row) const;
  void read_frame(size_t cell, int64_t frame, float* target) const;
  void check_numbers() const;

  RadioMlCells data_;
  std::vector<SampleType> types_;   // of each cell
  std::vector<int64_t> first_row_;  // of each cell, and behind the last
};

}  // namespace amae
