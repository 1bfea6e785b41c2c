#include "audio_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "amae/error.h"
#include "base/hash.h"
#include "io/audio.h"

namespace amae {
namespace {

// What is common to all rows whose header could be read.
Spec common_spec(const AudioTable& table) {
  Spec spec{Domain::audio, {-1, -1}, 0};
  bool is_first = true;
  for (size_t row = 0; row < table.size(); ++row) {
    const FileFacts& facts = table.facts[table.file[row]];
    int64_t frames = facts.frames;
    if (frames == 0) continue;
    if (table.is_section(row)) {
      try {
        frames = section_of(table, row, facts).frames;
      } catch (const InputError&) {  // a bad row that is to be skipped
        continue;
      }
    }
    if (std::exchange(is_first, false))
      spec = {Domain::audio, {facts.channels, frames}, static_cast<double>(facts.rate_hz)};
    if (spec.shape[0] != facts.channels) spec.shape[0] = -1;
    if (spec.shape[1] != frames) spec.shape[1] = -1;
    if (spec.rate_hz != facts.rate_hz) spec.rate_hz = 0;
  }
  return spec;
}

}  // namespace

AudioRows::AudioRows(AudioTable table) : table_(std::move(table)), spec_(common_spec(table_)) {}

size_t AudioRows::checked(int64_t row) const {
  if (row < 0 || row >= size()) throw std::out_of_range(fmt::format("row {} of {}", row, size()));
  return static_cast<size_t>(row);
}

FileFacts AudioRows::facts_of(size_t row) const {
  const uint32_t file = table_.file[row];
  FileFacts facts = table_.facts[file];
  if (facts.frames > 0) return facts;
  const AudioInfo info = audio_info(table_.path_of(file));  // says what is wrong, unless the file has come right by now
  facts.frames = info.frames;
  facts.rate_hz = static_cast<int32_t>(info.rate_hz);
  facts.channels = static_cast<int16_t>(info.channels);
  return facts;
}

Signal AudioRows::load(int64_t row) const {
  const size_t r = checked(row);
  const auto path = table_.path_of(table_.file[r]);
  if (!table_.is_section(r)) return read_audio(path);
  const auto [begin, frames] = section_of(table_, r, facts_of(r));
  return read_audio(path, begin, frames);
}

Spec AudioRows::row_spec(int64_t row) const {
  const size_t r = checked(row);
  const FileFacts facts = facts_of(r);
  return {Domain::audio, {facts.channels, section_of(table_, r, facts).frames}, static_cast<double>(facts.rate_hz)};
}

std::vector<int64_t> AudioRows::groups() const {
  if (!table_.group.empty()) return {table_.group.begin(), table_.group.end()};
  if (table_.files.size() < table_.size()) return {table_.file.begin(), table_.file.end()};
  return {};
}

std::string AudioRows::content_hash(int64_t row) const {
  const size_t r = checked(row);
  if (!table_.is_section(r)) return file_hash(table_.file[r]);
  const FileFacts facts = facts_of(r);
  const auto [begin, frames] = section_of(table_, r, facts);
  if (begin == 0 && frames == facts.frames) return file_hash(table_.file[r]);  // the whole file, said in seconds
  return fmt::format("{}@{}+{}", file_hash(table_.file[r]), begin, frames);
}

std::string AudioRows::file_hash(uint32_t file) const {
  {
    const std::lock_guard lock(hashes_mutex_);
    if (hashes_.empty()) hashes_.resize(table_.files.size());
    if (const auto& kept = hashes_[file]; kept[0] != '\0') return {kept.data(), kept.size()};
  }
  // Not under the lock: threads hash different files side by side. Two that meet on one file store the same text.
  const std::string hash = xxh3_file(table_.path_of(file));
  const std::lock_guard lock(hashes_mutex_);
  std::copy_n(hash.begin(), std::min(hash.size(), hashes_[file].size()), hashes_[file].begin());
  return hash;
}

}  // namespace amae
