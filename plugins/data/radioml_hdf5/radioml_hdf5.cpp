#include "radioml_hdf5.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "../common/class_column.h"
#include "amae/error.h"
#include "io/iq_frame.h"
#include "rehearsal.h"

namespace amae {
namespace {

// The order of the columns of Y. The classes.txt beside the file has another, which is wrong: radioML/dataset,
// issue 25.
constexpr std::array<const char*, 24> kClassesOf2018 = {
    "OOK",    "4ASK",      "8ASK",      "BPSK",      "QPSK",      "8PSK",  "16PSK", "32PSK",
    "16APSK", "32APSK",    "64APSK",    "128APSK",   "16QAM",     "32QAM", "64QAM", "128QAM",
    "256QAM", "AM-SSB-WC", "AM-SSB-SC", "AM-DSB-WC", "AM-DSB-SC", "FM",    "GMSK",  "OQPSK"};

/// All that opening does, and a frame at each end.
void try_out(const RegularFile& file) {
  const FramesFile frames(file);
  static_cast<void>(frames.read_labels());
  std::vector<float> frame(static_cast<size_t>(2 * frames.samples()));
  frames.read_frame(0, frame.data());
  frames.read_frame(frames.rows() - 1, frame.data());
}

}  // namespace

RadioMlHdf5::RadioMlHdf5(const RadioMlHdf5Options& options)
    : file_(open_hdf5(options.file)),
      classes_(options.classes.empty() ? std::vector<std::string>(kClassesOf2018.begin(), kClassesOf2018.end())
                                       : options.classes) {
  // The lock is held over the fork too, so that the child finds the library at rest.
  const auto lock = lock_hdf5();
  rehearse(kHdf5Code, file_->where(), {}, [&] { try_out(*file_); });
  auto frames = std::make_unique<const FramesFile>(*file_);  // should this throw, it closes under the lock
  check_classes(frames->classes());
  samples_ = frames->samples();
  FrameLabels labels = frames->read_labels();
  file_->check_unchanged();
  labels_ = at::empty({frames->rows()}, at::kLong);
  std::copy(labels.label.begin(), labels.label.end(), labels_.mutable_data_ptr<int64_t>());
  snr_db_ = std::move(labels.snr_db);
  frames_ = std::move(frames);
}

RadioMlHdf5::~RadioMlHdf5() {
  const auto lock = lock_hdf5();
  frames_.reset();
}

void RadioMlHdf5::check_classes(int64_t columns) const {
  if (static_cast<int64_t>(classes_.size()) != columns) {
    file_->refuse(fmt::format("got {} columns, expected {}, one for each of `classes`; name the classes of this file "
                              "there",
                              columns, classes_.size()),
                  "Y");
  }
  check_class_names(classes_);
}

void RadioMlHdf5::check_row(int64_t row) const {
  TORCH_CHECK_INDEX(row >= 0 && row < size(), "row ", row, " of ", size());
}

std::string RadioMlHdf5::id(int64_t row) const {
  check_row(row);
  const int64_t label = labels_.const_data_ptr<int64_t>()[row];
  return fmt::format("{}/{}/{:07}", classes_[static_cast<size_t>(label)], snr_db_[static_cast<size_t>(row)], row);
}

Signal RadioMlHdf5::load(int64_t row) const {
  check_row(row);
  at::Tensor samples = at::empty({2, samples_}, at::kFloat);
  {
    const auto lock = lock_hdf5();
    frames_->read_frame(row, samples.mutable_data_ptr<float>());
  }
  check_finite(samples, [&](const std::string& message) { file_->refuse(message, fmt::format("X, row {}", row)); });
  return {samples, 0, Domain::iq};
}

std::map<std::string, std::vector<double>> RadioMlHdf5::columns() const {
  return {{"snr", std::vector<double>(snr_db_.begin(), snr_db_.end())}};
}

std::map<std::string, TextColumn> RadioMlHdf5::text_columns() const {
  const int64_t* label = labels_.const_data_ptr<int64_t>();
  TextColumn column{classes_, {}};
  column.index.resize(static_cast<size_t>(size()));
  std::transform(label, label + size(), column.index.begin(),
                 [](int64_t value) { return static_cast<int32_t>(value); });
  return {{"modulation", std::move(column)}};
}

std::string RadioMlHdf5::content_hash(int64_t row) const { return signal_hash(load(row)); }

}  // namespace amae
