// The samples of one SigMF recording.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "io/byte_source.h"
#include "io/sigmf_metadata.h"

namespace amae {

/// Samples are numbered as the metadata does: from core:offset on, bytes that are none (core:header_bytes,
/// core:trailing_bytes) not counted. Thread-safe.
class SigMfRecording {
 public:
  /// `data` is the Dataset file. Throws InputError about it (field "samples") when its bytes are no whole number of
  /// samples or leave none.
  SigMfRecording(std::string name, const SigMfMetadata& metadata, std::shared_ptr<const ByteSource> data);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] double rate_hz() const { return rate_hz_; }
  [[nodiscard]] bool is_complex() const { return type_.is_complex; }
  [[nodiscard]] int64_t channels() const { return static_cast<int64_t>(channels_); }
  [[nodiscard]] uint64_t begin() const { return spans_[0].first; }  ///< the first sample
  [[nodiscard]] uint64_t end() const { return end_; }               ///< behind the last

  struct Range {
    size_t number = 0;  ///< of the capture in the metadata
    uint64_t begin = 0, end = 0;
  };
  /// The captures that have samples: those beyond the file's end are passed over, as the standard says.
  [[nodiscard]] const std::vector<Range>& captures() const { return captures_; }
  /// The capture that a sample lies in; null before the first.
  [[nodiscard]] const Range* capture_of(uint64_t sample) const;

  /// Samples of one channel: [2, count] float32 (I, Q) of complex numbers, [1, count] of real ones; integers as
  /// fractions of full scale (io/sample_type.h). The range lies within begin()..end(). Throws InputError for samples
  /// that are not finite.
  [[nodiscard]] at::Tensor read(uint64_t start, int64_t count, int64_t channel) const;

 private:
  struct Span {
    uint64_t first = 0;    // sample
    uint64_t byte_at = 0;  // of that sample; those up to the next span follow without a gap
  };
  void map_samples(const SigMfMetadata& metadata);

  std::string name_;
  SampleType type_;
  uint64_t channels_ = 1;
  double rate_hz_ = 0;
  std::shared_ptr<const ByteSource> data_;
  std::vector<Span> spans_;
  std::vector<Range> captures_;
  uint64_t end_ = 0;
};

}  // namespace amae
