#include "segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "../common/cell.h"
#include "../common/class_column.h"
#include "../common/problem_list.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "io/sigmf_files.h"
#include "sigmf.h"

namespace amae {
namespace {

constexpr const char* kSegmentCode = "SIGMF";
constexpr size_t kMostFields = 256;
constexpr uint64_t kMostRowSamples = uint64_t{1} << 30U;  // of a row
const std::string kCore = "core:";

/// Fields that are the row itself, or say where its bytes are.
bool is_place(const std::string& field) {
  for (const char* name : {"core:sample_start", "core:sample_count", "core:header_bytes", "core:global_index"}) {
    if (field == name) return true;
  }
  return false;
}

class SegmentReader {
 public:
  explicit SegmentReader(const SigMfOptions& options) : options_(options), classes_(options.classes) {}

  SigMfSegments read() {
    for (const SigMfFiles& files : find_sigmf(options_.path)) read_recording(files);
    const std::string where = printable(options_.path);
    problems_.throw_if_any(where);
    if (found_.segments.empty()) refuse_empty(where);
    if (short_ > 0) {
      log::warning("{}: {} of {} {} are shorter than frame: {} samples and give no row", where, short_, total_,
                   options_.rows, options_.frame);
    }
    check_alike(where);
    if (!options_.snr.empty() && !columns_of_.contains(options_.snr)) {
      throw InputError(kSegmentCode, where, "snr",
                       fmt::format("got {}, which none of {} {} has", printable(options_.snr), total_, options_.rows));
    }
    if (!options_.snr.empty() && !columns_["snr"].is_numeric()) {
      throw InputError(
          kSegmentCode, where, "snr",
          fmt::format("got {} with values that are no numbers, expected decibels", printable(options_.snr)));
    }
    finish_labels(where);
    found_.fields = std::move(columns_);
    return std::move(found_);
  }

 private:
  void read_recording(const SigMfFiles& files) {
    const SigMfMetadata metadata(files.read_text(), files.where);
    if (metadata.metadata_only && metadata.dataset.empty())
      metadata.refuse("/global/core:metadata_only", "got metadata without samples, expected a recording");
    const auto data = files.open_data(metadata.dataset);
    if (options_.verify) check_hash(metadata, *data);
    found_.recordings.emplace_back(files.name, metadata, data);
    const SigMfRecording& recording = found_.recordings.back();
    if (options_.channel >= recording.channels())
      metadata.refuse("/global/core:num_channels",
                      fmt::format("got {}, expected more for channel: {}", recording.channels(), options_.channel));
    global_ = metadata.global_fields();
    if (options_.rows == "captures") {
      for (const auto& range : recording.captures())
        add(metadata, range.number, range.begin, range.end - range.begin, metadata.capture_fields(range.number));
      return;
    }
    for (size_t i = 0; i < metadata.annotation_count(); ++i) read_annotation(metadata, recording, i);
  }

  void read_annotation(const SigMfMetadata& metadata, const SigMfRecording& recording, size_t number) {
    const SigMfAnnotation annotation = metadata.annotation(number);
    const auto* capture = recording.capture_of(annotation.sample_start);
    const uint64_t start = annotation.sample_start, rest = capture == nullptr ? recording.end() : capture->end;
    const uint64_t count = annotation.sample_count ? *annotation.sample_count : rest > start ? rest - start : 0;
    if (start < recording.begin() || start >= recording.end() || count > recording.end() - start || count == 0) {
      problems_.add({kSegmentCode, metadata.where, fmt::format("/annotations/{}", number),
                     fmt::format("got {} samples from {} on, expected at least one and all within {} to {}, the "
                                 "samples of the recording",
                                 count, start, recording.begin(), recording.end() - 1)});
      return;
    }
    SigMfFields fields = metadata.annotation_fields(number);
    if (capture != nullptr) fields.merge(metadata.capture_fields(capture->number));  // an annotation's own come first
    add(metadata, number, start, count, fields);
  }

  void add(const SigMfMetadata& metadata, size_t number, uint64_t start, uint64_t count, const SigMfFields& fields) {
    const std::string pointer = fmt::format("/{}/{}", options_.rows, number);
    ++total_;
    if (sigmf_rows(options_, count) == 0) {
      ++short_;
      return;
    }
    if (options_.frame == 0 && count > kMostRowSamples) {
      problems_.add(
          {kSegmentCode, metadata.where, pointer,
           fmt::format("got {} samples, expected at most {} in a row; cut it with frame", count, kMostRowSamples)});
      return;
    }
    if (!add_label(metadata.where, pointer, fields)) return;
    const size_t place = found_.segments.size();
    found_.segments.push_back(
        {static_cast<uint32_t>(found_.recordings.size() - 1), static_cast<uint32_t>(number), start, count});
    for (const auto& [field, value] : fields) {
      if (is_place(field) || field == options_.label) continue;
      if (!columns_of_.contains(field)) name_column(metadata.where, pointer, field);
      columns_[columns_of_[field]].set(place, value);
    }
  }

  /// False when the segment is to be left out.
  bool add_label(const std::string& where, const std::string& pointer, const SigMfFields& fields) {
    if (options_.label.empty()) return true;
    const auto own = fields.find(options_.label);
    const auto common = global_.find(options_.label);
    const std::string text = own != fields.end() ? own->second : common != global_.end() ? common->second : "";
    const std::string label(trimmed(text));
    if (label.empty()) {
      ++unlabelled_;
      if (first_unlabelled_.message.empty())
        first_unlabelled_ = {kSegmentCode, where, pointer + "/" + printable(options_.label), "got no label"};
      return !options_.skip_unlabelled;
    }
    ++labelled_;
    const std::string fault = classes_.add(label);
    if (!fault.empty()) problems_.add({kSegmentCode, where, pointer + "/" + printable(options_.label), fault});
    columns_["modulation"].set(found_.segments.size(), label);
    return true;
  }

  /// The column of a field is named as the field is, without "core:"; the one that holds the SNR is "snr". Of two that
  /// would have one name the later keeps its "core:", or else gets "field:" before it.
  void name_column(const std::string& where, const std::string& pointer, const std::string& field) {
    if (columns_of_.size() == kMostFields)
      throw InputError(kSegmentCode, where, pointer,
                       fmt::format("got more than {} fields, expected fewer", kMostFields));
    std::string name = field.starts_with(kCore) ? field.substr(kCore.size()) : field;
    if (field == options_.snr) name = "snr";
    const auto is_taken = [&](const std::string& wanted) {
      return (wanted == "modulation" && !options_.label.empty()) ||
             (wanted == "snr" && !options_.snr.empty() && field != options_.snr) || columns_.contains(wanted);
    };
    if (is_taken(name)) name = field;
    while (is_taken(name)) name.insert(0, "field:");
    columns_of_[field] = name;
  }

  static void check_hash(const SigMfMetadata& metadata, const ByteSource& data) {
    if (metadata.sha512.empty())
      metadata.refuse("/global/core:sha512", "got nothing, expected the hash that verify compares");
    constexpr size_t kPiece = size_t{1} << 20U;
    Sha512 hash;
    std::string piece(kPiece, '\0');
    for (uint64_t at = 0; at < data.size(); at += kPiece) {
      const auto some = static_cast<size_t>(std::min<uint64_t>(kPiece, data.size() - at));
      data.read(at, piece.data(), some);
      hash.add(piece.data(), some);
    }
    const std::string got = hash.finish();
    if (got != metadata.sha512) {
      data.refuse(fmt::format("got bytes of SHA-512 {}…, expected {}… as its metadata says: damaged, or of another "
                              "recording",
                              got.substr(0, 16), metadata.sha512.substr(0, 16)),
                  "core:sha512");
    }
  }

  [[noreturn]] void refuse_empty(const std::string& where) const {
    if (short_ > 0)
      throw InputError(
          kSegmentCode, where, "frame",
          fmt::format("got {} samples, but none of {} {} is as long", options_.frame, short_, options_.rows));
    if (unlabelled_ > 0)
      throw InputError(
          kSegmentCode, where, "label",
          fmt::format("got {}, which none of {} {} has", printable(options_.label), unlabelled_, options_.rows));
    throw InputError(kSegmentCode, where, "rows",
                     fmt::format("got no {}, expected at least one; rows: captures takes all samples", options_.rows));
  }

  void check_alike(const std::string& where) const {
    const auto& all = found_.recordings;
    const auto other = std::find_if(all.begin(), all.end(),
                                    [&](const SigMfRecording& r) { return r.is_complex() != all[0].is_complex(); });
    if (other != all.end()) {
      throw InputError(kSegmentCode, where, "path",
                       fmt::format("got complex samples in {} and real ones in {}, expected one kind",
                                   other->is_complex() ? other->name() : all[0].name(),
                                   other->is_complex() ? all[0].name() : other->name()));
    }
  }

  void finish_labels(const std::string& where) {
    const bool was_asked_for = options_.label != SigMfOptions().label || !options_.classes.empty();
    if (labelled_ == 0) {
      if (options_.label.empty() || !was_asked_for) return;
      throw InputError(
          kSegmentCode, where, "label",
          fmt::format("got {}, which none of {} {} has", printable(options_.label), unlabelled_, options_.rows));
    }
    if (unlabelled_ > 0 && !options_.skip_unlabelled) {
      first_unlabelled_.message = fmt::format(
          "got no label here and in {} more {}, expected one in each; skip_unlabelled: true leaves them out",
          unlabelled_ - 1, options_.rows);
      throw InputError({first_unlabelled_});
    }
    found_.classes = classes_.classes();
    found_.labels = classes_.labels();
  }

  const SigMfOptions& options_;
  SigMfSegments found_;
  ProblemList problems_;
  ClassColumn classes_;
  SigMfFields global_;                             // of the recording that is read
  std::map<std::string, std::string> columns_of_;  // column of each field
  std::map<std::string, ColumnMaker> columns_;
  size_t total_ = 0, short_ = 0, labelled_ = 0, unlabelled_ = 0;  // segments
  Problem first_unlabelled_;
};

}  // namespace

int64_t sigmf_rows(const SigMfOptions& options, uint64_t count) {
  if (options.frame == 0) return 1;
  const auto frame = static_cast<uint64_t>(options.frame);
  const auto hop = static_cast<uint64_t>(options.hop > 0 ? options.hop : options.frame);
  return count < frame ? 0 : static_cast<int64_t>((count - frame) / hop + 1);
}

SigMfSegments read_sigmf_segments(const SigMfOptions& options) { return SegmentReader(options).read(); }

}  // namespace amae
