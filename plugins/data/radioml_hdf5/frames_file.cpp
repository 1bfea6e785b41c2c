#include "frames_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stop.h"

namespace amae {
namespace {

constexpr int64_t kMostSamples = 1 << 20;
constexpr int64_t kMostClasses = 65'535;
constexpr int64_t kSliceNumbers = 1 << 20;  // 8 MiB of Y or Z at a time
constexpr int64_t kMostDecibels = 1000;

/// Calls `look(row, numbers of that row)` for all rows.
template <class Look>
void for_each_row(const Hdf5Table& table, const Look& look) {
  const int64_t slice = std::max<int64_t>(kSliceNumbers / table.row_size(), 1);
  std::vector<int64_t> numbers(static_cast<size_t>(std::min(slice, table.rows()) * table.row_size()));
  for (int64_t first = 0; first < table.rows(); first += slice) {
    throw_if_stopped();
    const int64_t count = std::min(slice, table.rows() - first);
    table.read(first, count, numbers.data());
    for (int64_t i = 0; i < count; ++i) look(first + i, numbers.data() + i * table.row_size());
  }
}

}  // namespace

FramesFile::FramesFile(const RegularFile& file) : file_(file), x_(file_, "X", Numbers::reals) { check_shapes(); }

void FramesFile::check_shapes() {
  const Hdf5Table y(file_, "Y", Numbers::integers), z(file_, "Z", Numbers::integers);
  const std::vector<int64_t>& shape = x_.shape();
  if (shape.size() != 3 || (shape[1] != 2 && shape[2] != 2))
    x_.refuse(fmt::format("got {}, expected [N, L, 2] or [N, 2, L]", x_.shape_text()));
  if (shape[1] == 2 && shape[2] == 2)
    x_.refuse(fmt::format("got {}, where two axes could be I and Q, expected one", x_.shape_text()));
  interleaved_ = shape[2] == 2;
  samples_ = interleaved_ ? shape[1] : shape[2];
  if (samples_ > kMostSamples)
    x_.refuse(fmt::format("got frames of {} samples, expected at most {}", samples_, kMostSamples));
  if (y.shape().size() != 2 || y.rows() != rows() || y.shape()[1] > kMostClasses)
    y.refuse(fmt::format("got {}, expected [{}, classes], a row for each of X", y.shape_text(), rows()));
  if (z.rows() != rows() || z.row_size() != 1)
    z.refuse(fmt::format("got {}, expected [{}, 1], a row for each of X", z.shape_text(), rows()));
  classes_ = y.shape()[1];
}

FrameLabels FramesFile::read_labels() const {
  FrameLabels labels;
  const auto refuse = [&](const Hdf5Table& table, int64_t row, const std::string& message) {
    file_.file().refuse(message, fmt::format("{}, row {}", table.name(), row));
  };
  labels.label.reserve(static_cast<size_t>(rows()));
  labels.snr_db.reserve(static_cast<size_t>(rows()));
  const Hdf5Table y(file_, "Y", Numbers::integers);
  for_each_row(y, [&](int64_t row, const int64_t* numbers) {
    int64_t ones = 0, others = 0, label = 0;
    for (int64_t k = 0; k < classes_; ++k) {
      if (numbers[k] == 1) label = k;
      ones += numbers[k] == 1 ? 1 : 0;
      others += numbers[k] != 0 && numbers[k] != 1 ? 1 : 0;
    }
    if (ones != 1 || others != 0)
      refuse(y, row,
             fmt::format("got {} ones{}, expected one 1 among zeros", ones, others > 0 ? " and other numbers" : ""));
    labels.label.push_back(static_cast<int32_t>(label));
  });
  const Hdf5Table z(file_, "Z", Numbers::integers);
  for_each_row(z, [&](int64_t row, const int64_t* number) {
    if (*number < -kMostDecibels || *number > kMostDecibels)
      refuse(z, row, fmt::format("got {}, expected an SNR of -{} to {} dB", *number, kMostDecibels, kMostDecibels));
    labels.snr_db.push_back(static_cast<int16_t>(*number));
  });
  return labels;
}

void FramesFile::read_frame(int64_t row, float* target) const {
  if (!interleaved_) return x_.read(row, 1, target);
  std::vector<float> pairs(static_cast<size_t>(2 * samples_));
  x_.read(row, 1, pairs.data());
  for (int64_t i = 0; i < samples_; ++i) {
    target[i] = pairs[static_cast<size_t>(2 * i)];
    target[samples_ + i] = pairs[static_cast<size_t>(2 * i + 1)];
  }
}

}  // namespace amae
