#include "io/sigmf_recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/iq_frame.h"

namespace amae {

SigMfRecording::SigMfRecording(std::string name, const SigMfMetadata& metadata, std::shared_ptr<const ByteSource> data)
    : name_(std::move(name)),
      type_(metadata.type),
      channels_(metadata.channels),
      rate_hz_(metadata.rate_hz),
      data_(std::move(data)) {
  map_samples(metadata);
}

/// Each capture's samples lie behind those before it and behind its header bytes.
void SigMfRecording::map_samples(const SigMfMetadata& metadata) {
  const uint64_t step = type_.sample_bytes() * channels_;
  const auto refuse = [&](const std::string& message) { data_->refuse(message, "samples"); };
  if (metadata.trailing_bytes > data_->size())
    refuse(fmt::format("got {} bytes, expected more than the {} of core:trailing_bytes", data_->size(),
                       metadata.trailing_bytes));
  const uint64_t stop = data_->size() - metadata.trailing_bytes;
  uint64_t at = 0;                   // where the last span begins
  uint64_t first = metadata.offset;  // its first sample
  spans_.push_back({first, at});     // what lies before the first capture, if anything
  for (size_t i = 0; i < metadata.captures.size(); ++i) {
    const SigMfCapture& capture = metadata.captures[i];
    const uint64_t room = stop - at;
    // A capture that begins where no sample can be does not exist: the standard has it passed over.
    if (capture.sample_start - first > room / step) break;
    const uint64_t header_at = at + (capture.sample_start - first) * step;
    if (stop - header_at < step) break;
    if (capture.header_bytes > stop - header_at) {
      refuse(fmt::format("got {} bytes from the header of capture {} on, expected its {} and samples behind them",
                         stop - header_at, i, capture.header_bytes));
    }
    at = header_at + capture.header_bytes;
    if (first == capture.sample_start && spans_.back().first == first) spans_.pop_back();
    first = capture.sample_start;
    spans_.push_back({first, at});
    if (!captures_.empty()) captures_.back().end = first;
    captures_.push_back({i, first, first});
  }
  const uint64_t bytes = stop - at;
  if (bytes % step != 0) {
    refuse(fmt::format("got {} bytes of samples, expected whole samples of {} bytes ({} x {} channel{}): cut?",
                       bytes + at, step, metadata.datatype, channels_, channels_ == 1 ? "" : "s"));
  }
  end_ = first + bytes / step;
  if (end_ == begin()) refuse(fmt::format("got {} bytes and no sample, expected at least one", data_->size()));
  if (!captures_.empty()) captures_.back().end = end_;
  std::erase_if(captures_, [](const Range& range) { return range.begin == range.end; });
}

const SigMfRecording::Range* SigMfRecording::capture_of(uint64_t sample) const {
  const auto next = std::upper_bound(captures_.begin(), captures_.end(), sample,
                                     [](uint64_t place, const Range& range) { return place < range.begin; });
  return next == captures_.begin() ? nullptr : &*(next - 1);
}

at::Tensor SigMfRecording::read(uint64_t start, int64_t count, int64_t channel) const {
  const size_t sample = type_.sample_bytes(), step = sample * channels_;
  std::string bytes(static_cast<size_t>(count) * step, '\0');
  size_t done = 0;
  auto span = std::upper_bound(spans_.begin(), spans_.end(), start,
                               [](uint64_t wanted, const Span& s) { return wanted < s.first; }) -
              1;
  for (uint64_t at = start; done < bytes.size(); ++span) {
    const uint64_t span_end = span + 1 == spans_.end() ? end_ : (span + 1)->first;
    const auto some = static_cast<size_t>(std::min<uint64_t>((span_end - at) * step, bytes.size() - done));
    data_->read(span->byte_at + (at - span->first) * step, bytes.data() + done, some);
    done += some;
    at = span_end;
  }
  at::Tensor samples = at::empty({is_complex() ? 2 : 1, count}, at::kFloat);
  auto* out = samples.mutable_data_ptr<float>();
  const char* numbers = bytes.data() + static_cast<size_t>(channel) * sample;
  to_float32(type_, numbers, step, count, out);
  if (is_complex()) to_float32(type_, numbers + type_.bytes, step, count, out + count);
  check_finite(samples, [&](const std::string& message) {
    data_->refuse(message, fmt::format("samples {} to {}", start, start + static_cast<uint64_t>(count) - 1));
  });
  return samples;
}

}  // namespace amae
