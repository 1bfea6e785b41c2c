#include "io/signal_store.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/safetensors.h"
#include "io/write_flac.h"  // fits_16_bits

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "amae signal store 1";
constexpr const char* kSamples = "samples.bin";
constexpr const char* kIndex = "index.safetensors";
constexpr int64_t kMaxElements = int64_t{1} << 31;  // of one row

template <class T>
at::Tensor tensor_of(const std::vector<T>& values, at::ScalarType type) {
  at::Tensor out = at::empty({static_cast<int64_t>(values.size())}, c10::CppTypeToScalarType<T>::value);
  if (!values.empty()) std::memcpy(out.mutable_data_ptr(), values.data(), sizeof(T) * values.size());
  return out.to(type);
}

template <class T>
std::vector<T> values_of(const at::Tensor& column) {
  const at::Tensor plain = column.to(c10::CppTypeToScalarType<T>::value).contiguous();
  return {plain.const_data_ptr<T>(), plain.const_data_ptr<T>() + plain.numel()};
}

Domain domain_of(const std::string& name, const RegularFile& index) {
  for (const Domain domain : {Domain::audio, Domain::iq, Domain::spectrogram}) {
    if (name == to_string(domain)) return domain;
  }
  index.refuse(fmt::format("got \"{}\", expected audio, iq or spectrogram", printable(name)), "domain");
}

}  // namespace

StoreWriter::StoreWriter(fs::path folder) : folder_(std::move(folder)) {
  const fs::path path = folder_ / kSamples;
  file_ = std::fopen(path.c_str(), "wbe");
  if (file_ == nullptr) {
    throw EnvironmentError("FILE", path.string(), fmt::format("cannot create: {}", std::strerror(errno)));
  }
}

StoreWriter::~StoreWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void StoreWriter::write(const void* data, size_t count) {
  if (std::fwrite(data, 1, count, file_) != count) {
    throw EnvironmentError("FILE", (folder_ / kSamples).string(),
                           fmt::format("cannot write: {}", std::strerror(errno)));
  }
  bytes_ += static_cast<int64_t>(count);
}

void StoreWriter::add(const Signal& signal) {
  const at::Tensor samples = signal.samples.contiguous();
  const bool small = fits_16_bits(samples);
  offsets_.push_back(bytes_);
  bits_.push_back(small ? 16 : 32);
  channels_.push_back(samples.size(0));
  frames_.push_back(samples.size(1));
  rates_.push_back(signal.rate_hz);
  if (small) {
    const at::Tensor integers = samples.mul(32768).to(at::kShort);
    write(integers.const_data_ptr(), 2 * static_cast<size_t>(integers.numel()));
  } else {
    write(samples.const_data_ptr(), 4 * static_cast<size_t>(samples.numel()));
  }
}

void StoreWriter::finish(const StoreColumns& columns) {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) {
    throw EnvironmentError("FILE", (folder_ / kSamples).string(),
                           fmt::format("cannot write: {}", std::strerror(errno)));
  }
  std::string id_bytes;
  std::vector<int64_t> id_ends;
  for (const std::string& id : columns.ids) {
    id_bytes += id;
    id_ends.push_back(static_cast<int64_t>(id_bytes.size()));
  }
  TensorDict tensors{{"offset", tensor_of(offsets_, at::kLong)},
                     {"bits", tensor_of(bits_, at::kByte)},
                     {"channels", tensor_of(channels_, at::kLong)},  // not a plugin: a column
                     {"frames", tensor_of(frames_, at::kLong)},
                     {"rate_hz", tensor_of(rates_, at::kDouble)},
                     {"id_bytes", tensor_of(std::vector<uint8_t>(id_bytes.begin(), id_bytes.end()), at::kByte)},
                     {"id_ends", tensor_of(id_ends, at::kLong)}};
  if (columns.labels.defined()) tensors["labels"] = columns.labels;
  if (!columns.folds.empty()) tensors["folds"] = tensor_of(columns.folds, at::kLong);
  if (!columns.groups.empty()) tensors["groups"] = tensor_of(columns.groups, at::kLong);
  for (const auto& [name, values] : columns.columns) tensors["column." + name] = tensor_of(values, at::kDouble);
  write_safetensors(folder_ / kIndex, tensors,
                    {{"format", kFormat},
                     {"domain", to_string(columns.domain)},
                     {"classes", nlohmann::json(columns.classes).dump()},
                     {"samples_bytes", std::to_string(bytes_)}});
}

StoreReader::StoreReader(const fs::path& folder) : samples_(std::make_unique<RegularFile>(folder / kSamples, "STORE")) {
  read_index(folder / kIndex);
}

void StoreReader::read_index(const fs::path& path) {
  std::map<std::string, std::string> metadata;
  const TensorDict tensors = read_safetensors(path, &metadata);
  const RegularFile index(path, "STORE");
  if (metadata["format"] != kFormat) {
    index.refuse(fmt::format("got format \"{}\", expected \"{}\"", printable(metadata["format"]), kFormat), "format");
  }
  columns_.domain = domain_of(metadata["domain"], index);
  if (metadata["samples_bytes"] != std::to_string(samples_->size())) {
    samples_->refuse(fmt::format("got {} bytes, expected {} as in {} (cut or of another store)", samples_->size(),
                                 printable(metadata["samples_bytes"]), kIndex));
  }
  const auto classes = nlohmann::json::parse(metadata["classes"], nullptr, false);
  if (!classes.is_array()) index.refuse("got no JSON list of names", "classes");
  for (const auto& name : classes) {
    if (!name.is_string()) index.refuse("got a name that is no text", "classes");
    columns_.classes.push_back(name.get<std::string>());
  }

  const auto found = tensors.find("offset");
  const int64_t rows = found == tensors.end() ? 0 : found->second.numel();
  if (rows == 0) index.refuse("got no row, expected at least one", "offset");
  const auto column = [&](const std::string& name, at::ScalarType type) -> const at::Tensor& {
    const auto at_name = tensors.find(name);
    if (at_name == tensors.end()) index.refuse("the column is missing", name);
    const at::Tensor& tensor = at_name->second;
    if (tensor.scalar_type() != type || tensor.dim() != 1 || tensor.size(0) != rows) {
      index.refuse(fmt::format("got {} {}, expected {} {}", tensor.numel(), c10::toString(tensor.scalar_type()), rows,
                               c10::toString(type)),
                   name);
    }
    return tensor;
  };
  offsets_ = values_of<int64_t>(column("offset", at::kLong));
  bits_ = values_of<int64_t>(column("bits", at::kByte));
  channels_ = values_of<int64_t>(column("channels", at::kLong));  // not a plugin: a column
  frames_ = values_of<int64_t>(column("frames", at::kLong));
  rates_ = values_of<double>(column("rate_hz", at::kDouble));
  const auto total = static_cast<int64_t>(samples_->size());
  for (size_t row = 0; row < offsets_.size(); ++row) {
    const int64_t channels = channels_[row], frames = frames_[row], bits = bits_[row], offset = offsets_[row];
    const bool sizes_fit = channels >= 1 && channels <= 65'536 && frames >= 0 && frames <= kMaxElements / channels;
    if (!sizes_fit || (bits != 16 && bits != 32) || offset < 0 || offset > total ||
        channels * frames * (bits / 8) > total - offset || !(rates_[row] >= 0)) {
      index.refuse(
          fmt::format("row {}: got {} channels, {} frames of {} bits at {} Hz from byte {}, expected them within "
                      "the {} bytes of {}",
                      row, channels, frames, bits, rates_[row], offset, total, kSamples),
          "offset");
    }
  }

  const auto ids = tensors.find("id_bytes");
  if (ids == tensors.end() || ids->second.scalar_type() != at::kByte) index.refuse("the column is missing", "id_bytes");
  const auto id_bytes = values_of<uint8_t>(ids->second);
  int64_t begin = 0;
  for (const int64_t end : values_of<int64_t>(column("id_ends", at::kLong))) {
    if (end < begin || end > static_cast<int64_t>(id_bytes.size())) index.refuse("got ends out of order", "id_ends");
    columns_.ids.emplace_back(id_bytes.begin() + begin, id_bytes.begin() + end);
    begin = end;
  }
  if (const auto labels = tensors.find("labels"); labels != tensors.end()) {
    const at::Tensor& values = labels->second;
    const auto count = static_cast<int64_t>(columns_.classes.size());
    const bool one = values.dim() == 1 && values.scalar_type() == at::kLong && values.size(0) == rows;
    const bool several =
        values.dim() == 2 && values.scalar_type() == at::kFloat && values.size(0) == rows && values.size(1) == count;
    if (!one && !several) index.refuse("got another shape or type than rows and classes call for", "labels");
    if (one && (values.min().item<int64_t>() < 0 || values.max().item<int64_t>() >= count))
      index.refuse(fmt::format("got class indices {} to {}, expected 0 to {}", values.min().item<int64_t>(),
                               values.max().item<int64_t>(), count - 1),
                   "labels");
    columns_.labels = values;
  }
  if (tensors.count("folds") > 0) columns_.folds = values_of<int64_t>(column("folds", at::kLong));
  if (tensors.count("groups") > 0) columns_.groups = values_of<int64_t>(column("groups", at::kLong));
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("column.")) columns_.columns[name.substr(7)] = values_of<double>(column(name, at::kDouble));
  }
}

Spec StoreReader::spec(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  return {columns_.domain, {channels_.at(i), frames_.at(i)}, rates_.at(i)};
}

std::string StoreReader::bytes_of(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  std::string bytes(static_cast<size_t>(channels_.at(i) * frames_[i] * (bits_[i] / 8)), '\0');
  samples_->read(static_cast<uint64_t>(offsets_[i]), bytes.data(), bytes.size());
  return bytes;
}

Signal StoreReader::load(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  const bool small = bits_.at(i) == 16;
  at::Tensor samples = at::empty({channels_[i], frames_[i]}, small ? at::kShort : at::kFloat);
  samples_->read(static_cast<uint64_t>(offsets_[i]), samples.mutable_data_ptr(),
                 static_cast<size_t>(samples.numel()) * (small ? 2 : 4));
  if (small) samples = samples.to(at::kFloat).div_(32768);
  return {samples, rates_[i], columns_.domain};
}

std::string StoreReader::content_hash(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  return xxh3_hex(fmt::format("{} {} {} {} {}\n", to_string(columns_.domain), channels_.at(i), frames_[i], bits_[i],
                              number_text(rates_[i])) +
                  bytes_of(row));
}

}  // namespace amae
