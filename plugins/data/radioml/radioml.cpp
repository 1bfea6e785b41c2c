#include "radioml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/stop.h"
#include "base/text.h"
#include "io/iq_frame.h"

namespace amae {

RadioMl::RadioMl(const RadioMlOptions& options) : data_(read_radioml(options.file, options.complete)) {
  first_row_.push_back(0);
  for (const RadioMlCell& cell : data_.cells) {
    first_row_.push_back(first_row_.back() + cell.frames.shape[0]);
    types_.push_back({.kind = SampleType::Kind::floating,
                      .bytes = static_cast<int>(cell.frames.item_bytes),
                      .is_big_endian = cell.frames.is_big_endian()});
  }
  check_numbers();
}

size_t RadioMl::cell_of(int64_t row) const {
  TORCH_CHECK_INDEX(row >= 0 && row < size(), "row ", row, " of ", size());
  return static_cast<size_t>(std::upper_bound(first_row_.begin(), first_row_.end(), row) - first_row_.begin() - 1);
}

/// Writes [2, L].
void RadioMl::read_frame(size_t cell, int64_t frame, float* target) const {
  const PickledArray& array = data_.cells[cell].frames;
  const auto step = static_cast<size_t>(array.stride[2] * array.item_bytes);
  for (int64_t part = 0; part < 2; ++part) {
    const int64_t first = frame * array.stride[0] + part * array.stride[1];
    to_float32(types_[cell], array.bytes.data() + first * array.item_bytes, step, data_.samples,
               target + part * data_.samples);
  }
}

void RadioMl::check_numbers() const {
  std::vector<float> numbers(static_cast<size_t>(2 * data_.samples));
  for (size_t i = 0; i < data_.cells.size(); ++i) {
    throw_if_stopped();
    const RadioMlCell& cell = data_.cells[i];
    for (int64_t frame = 0; frame < cell.frames.shape[0]; ++frame) {
      read_frame(i, frame, numbers.data());
      const bool finite = std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
      if (finite) continue;
      data_.pickle->refuse(cell_text(data_.modulations[cell.modulation], cell.snr_db),
                           fmt::format("got a number in frame {} of {} that is not finite, expected finite ones", frame,
                                       cell.frames.shape[0]));
    }
  }
}

std::string RadioMl::id(int64_t row) const {
  const size_t i = cell_of(row);
  const RadioMlCell& cell = data_.cells[i];
  return fmt::format("{}/{}/{:04}", data_.modulations[cell.modulation], number_text(cell.snr_db), row - first_row_[i]);
}

Signal RadioMl::load(int64_t row) const {
  const size_t i = cell_of(row);
  at::Tensor samples = at::empty({2, data_.samples}, at::kFloat);
  read_frame(i, row - first_row_[i], samples.mutable_data_ptr<float>());
  return {samples, 0, Domain::iq};
}

at::Tensor RadioMl::labels() const {
  at::Tensor labels = at::empty({size()}, at::kLong);
  auto* label = labels.mutable_data_ptr<int64_t>();
  for (size_t i = 0; i < data_.cells.size(); ++i)
    std::fill(label + first_row_[i], label + first_row_[i + 1], static_cast<int64_t>(data_.cells[i].modulation));
  return labels;
}

std::map<std::string, std::vector<double>> RadioMl::columns() const {
  std::vector<double> snr;
  snr.reserve(static_cast<size_t>(size()));
  for (const RadioMlCell& cell : data_.cells)
    snr.insert(snr.end(), static_cast<size_t>(cell.frames.shape[0]), cell.snr_db);
  return {{"snr", std::move(snr)}};
}

std::map<std::string, TextColumn> RadioMl::text_columns() const {
  TextColumn column{data_.modulations, {}};
  column.index.reserve(static_cast<size_t>(size()));
  for (const RadioMlCell& cell : data_.cells)
    column.index.insert(column.index.end(), static_cast<size_t>(cell.frames.shape[0]),
                        static_cast<int32_t>(cell.modulation));
  return {{"modulation", std::move(column)}};
}

std::string RadioMl::content_hash(int64_t row) const { return signal_hash(load(row)); }

}  // namespace amae
