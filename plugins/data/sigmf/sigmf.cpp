#include "sigmf.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "amae/error.h"
#include "io/iq_frame.h"

namespace amae {
namespace {

constexpr int64_t kMostRows = int64_t{1} << 31;

/// A value of each segment to one of each of its rows.
template <class T>
std::vector<T> for_rows(const std::vector<T>& of_segments, const std::vector<int64_t>& first_row) {
  std::vector<T> of_rows;
  of_rows.reserve(static_cast<size_t>(first_row.back()));
  for (size_t i = 0; i < of_segments.size(); ++i)
    of_rows.insert(of_rows.end(), static_cast<size_t>(first_row[i + 1] - first_row[i]), of_segments[i]);
  return of_rows;
}

}  // namespace

void SigMfOptions::check() const {
  if (hop > 0 && frame == 0)
    throw InputError("CFG-RULE", "", "hop", fmt::format("got {} without a frame, expected both or neither", hop));
  if (!snr.empty() && snr == label)
    throw InputError("CFG-RULE", "", "snr", "got the field that is the label, expected another");
}

SigMf::SigMf(const SigMfOptions& options) : options_(options), found_(read_sigmf_segments(options)), first_row_{0} {
  bool is_first = true;
  for (size_t i = 0; i < found_.segments.size(); ++i) {
    first_row_.push_back(first_row_.back() + sigmf_rows(options_, found_.segments[i].count));
    if (size() > kMostRows)
      throw InputError("SIGMF", options.path, "hop", fmt::format("got more than {} rows, expected fewer", kMostRows));
    const Spec spec = row_spec(first_row_[i]);
    if (is_first) spec_ = spec;
    is_first = false;
    if (spec.shape[1] != spec_.shape[1]) spec_.shape[1] = -1;
    if (spec.rate_hz != spec_.rate_hz) spec_.rate_hz = 0;
  }
}

const SigMfRecording& SigMf::recording_of(size_t segment) const {
  return found_.recordings[found_.segments[segment].recording];
}

SigMf::Place SigMf::place_of(int64_t row) const {
  if (row < 0 || row >= size()) throw std::out_of_range(fmt::format("row {} of {}", row, size()));
  const auto i =
      static_cast<size_t>(std::upper_bound(first_row_.begin(), first_row_.end(), row) - first_row_.begin()) - 1;
  const SigMfSegment& segment = found_.segments[i];
  if (options_.frame == 0) return {i, segment.start, static_cast<int64_t>(segment.count)};
  const int64_t hop = options_.hop > 0 ? options_.hop : options_.frame;
  return {i, segment.start + static_cast<uint64_t>((row - first_row_[i]) * hop), options_.frame};
}

std::string SigMf::id(int64_t row) const {
  const Place place = place_of(row);
  const std::string segment =
      fmt::format("{}#{}/{}", recording_of(place.segment).name(), options_.rows, found_.segments[place.segment].number);
  return options_.frame == 0 ? segment : fmt::format("{}@{}", segment, place.start);
}

Signal SigMf::load(int64_t row) const {
  const Place place = place_of(row);
  const SigMfRecording& recording = recording_of(place.segment);
  return {recording.read(place.start, place.count, options_.channel), recording.rate_hz(), spec_.domain};
}

Spec SigMf::row_spec(int64_t row) const {
  const Place place = place_of(row);
  const SigMfRecording& recording = recording_of(place.segment);
  const bool is_iq = recording.is_complex();
  return {is_iq ? Domain::iq : Domain::audio, {is_iq ? 2 : 1, place.count}, recording.rate_hz()};
}

at::Tensor SigMf::labels() const {
  if (!found_.labels.defined()) return {};
  const auto* of_segments = found_.labels.const_data_ptr<int64_t>();
  return at::tensor(for_rows(std::vector<int64_t>(of_segments, of_segments + found_.labels.numel()), first_row_));
}

std::vector<int64_t> SigMf::groups() const {
  if (options_.group == "none") return {};
  std::vector<int64_t> of_segments;
  for (size_t i = 0; i < found_.segments.size(); ++i)
    of_segments.push_back(options_.group == "segment" ? static_cast<int64_t>(i) : found_.segments[i].recording);
  return for_rows(of_segments, first_row_);
}

std::map<std::string, std::vector<double>> SigMf::columns() const {
  std::map<std::string, std::vector<double>> columns;
  for (const auto& [name, maker] : found_.fields) {
    if (name != "modulation" && maker.is_numeric())
      columns[name] = for_rows(maker.numbers(found_.segments.size()), first_row_);
  }
  return columns;
}

std::map<std::string, TextColumn> SigMf::text_columns() const {
  std::map<std::string, TextColumn> columns;
  for (const auto& [name, maker] : found_.fields) {
    if (name != "modulation" && maker.is_numeric()) continue;
    columns[name] = maker.texts(found_.segments.size());
    columns[name].index = for_rows(columns[name].index, first_row_);
  }
  return columns;
}

std::string SigMf::content_hash(int64_t row) const { return signal_hash(load(row)); }

}  // namespace amae
