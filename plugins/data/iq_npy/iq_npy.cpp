#include "iq_npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "amae/error.h"
#include "base/text.h"
#include "io/iq_frame.h"

namespace amae {
namespace {

/// The files' names, or, where two are the same, their paths.
std::vector<std::string> names_in_ids(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(printable(std::filesystem::path(file).filename().string()));
  if (std::set<std::string>(names.begin(), names.end()).size() == names.size()) return names;
  for (size_t i = 0; i < files.size(); ++i) names[i] = printable(files[i]);
  return names;
}

}  // namespace

IqNpy::IqNpy(const IqNpyOptions& options) : names_(names_in_ids(options.files)), first_row_{0} {
  if (options.files.empty()) throw InputError("NPY", "", "files", "got an empty list, expected at least one file");
  const auto twin = std::set<std::string>(options.files.begin(), options.files.end());
  if (twin.size() != options.files.size()) throw InputError("NPY", "", "files", "got a file twice, expected it once");
  for (const std::string& file : options.files) {
    arrays_.emplace_back(file, options.array, options.layout);
    first_row_.push_back(first_row_.back() + arrays_.back().frames());
  }
  spec_ = {Domain::iq, {2, arrays_[0].samples()}, options.rate};
  for (const IqArray& array : arrays_) {
    if (array.samples() != spec_.shape[1]) spec_.shape[1] = -1;
  }
  if (!options.labels.empty())
    table_ = read_frame_table({options.labels, options.label, options.fold, options.group, options.classes, size()});
}

size_t IqNpy::file_of(int64_t row) const {
  if (row < 0 || row >= size()) throw std::out_of_range(fmt::format("row {} of {}", row, size()));
  return static_cast<size_t>(std::upper_bound(first_row_.begin(), first_row_.end(), row) - first_row_.begin()) - 1;
}

std::string IqNpy::id(int64_t row) const {
  const size_t file = file_of(row);
  return fmt::format("{}#{}", names_[file], row - first_row_[file]);
}

Signal IqNpy::load(int64_t row) const {
  const size_t file = file_of(row);
  return {arrays_[file].read(row - first_row_[file]), spec_.rate_hz, Domain::iq};
}

Spec IqNpy::row_spec(int64_t row) const { return {Domain::iq, {2, arrays_[file_of(row)].samples()}, spec_.rate_hz}; }

std::string IqNpy::content_hash(int64_t row) const { return signal_hash(load(row)); }

}  // namespace amae
