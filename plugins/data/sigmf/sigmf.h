// SigMF recordings as a data set: annotated stretches, or frames of what was captured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"
#include "segments.h"

namespace amae {

struct SigMfOptions {
  std::string path;
  std::string rows = "annotations";
  int64_t frame = 0, hop = 0;
  int64_t channel = 0;
  std::string label = "core:label", snr;
  std::vector<std::string> classes;
  bool skip_unlabelled = false;
  std::string group = "recording";
  bool verify = false;

  void describe(Fields& fields) {
    fields.add("path", path, "a recording's .sigmf-meta, an archive (.sigmf), or a folder of these").path().required();
    fields.add("rows", rows, "annotations: what is annotated; captures: all that was captured, with annotations or not")
        .choices({"annotations", "captures"});
    fields
        .add("frame", frame,
             "cut each annotation or capture into rows of this length, what is left over at its end is not used; 0: "
             "each is one row")
        .unit("samples")
        .range(0, 1 << 30);
    fields.add("hop", hop, "from one frame's first sample to the next one's; 0: the frame")
        .unit("samples")
        .range(0, 1 << 30);
    fields.add("channel", channel, "which of core:num_channels to read, from 0").range(0, 65'535);
    fields.add("label", label,
               "field of the labels: of the annotation, else of its capture, else of the recording; a nested one is "
               "\"signal:detail.mod_class\"; empty: there are none");
    fields.add("snr", snr, "field that becomes the column snr; empty: none");
    fields.add("classes", classes, "names of the classes in label order; empty: those that occur, sorted");
    fields.add("skip_unlabelled", skip_unlabelled, "leave out what has no label, where others have one");
    fields.add("group", group, "what splits never part: a recording; a segment (annotation or capture); none")
        .choices({"recording", "segment", "none"});
    fields.add("verify", verify, "compare the samples of every recording with its core:sha512; reads all bytes");
  }
  void check() const;
};

/// Complex samples are IQ [2, N], real ones a waveform [1, N]; integers become fractions of full scale. Rows are read
/// when they are asked for. Ids are RECORDING#annotations/NUMBER (or captures), with @SAMPLE for a frame. Columns: each
/// field of annotations and captures that is a number, a text or a truth value, named as the field is without "core:";
/// the label as the texts "modulation".
///
/// The constructor throws InputError: SIGMF (metadata; where = file, field = a JSON pointer, or an option's name), with
/// the first 20 annotations that lie outside their recording or have no class of `classes`.
class SigMf final : public Dataset {
 public:
  explicit SigMf(const SigMfOptions& options);

  [[nodiscard]] int64_t size() const override { return first_row_.back(); }
  [[nodiscard]] std::string id(int64_t row) const override;
  [[nodiscard]] Signal load(int64_t row) const override;
  [[nodiscard]] Spec spec() const override { return spec_; }
  [[nodiscard]] Spec row_spec(int64_t row) const override;
  [[nodiscard]] const std::vector<std::string>& classes() const override { return found_.classes; }
  [[nodiscard]] at::Tensor labels() const override;
  [[nodiscard]] std::vector<int64_t> groups() const override;
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override;
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  struct Place {
    size_t segment;
    uint64_t start;
    int64_t count;
  };
  [[nodiscard]] Place place_of(int64_t row) const;
  [[nodiscard]] const SigMfRecording& recording_of(size_t segment) const;

  SigMfOptions options_;
  SigMfSegments found_;
  std::vector<int64_t> first_row_;  // of each segment, and behind the last
  Spec spec_;
};

}  // namespace amae
