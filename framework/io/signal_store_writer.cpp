#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "amae/error.h"
#include "io/safetensors.h"
#include "io/signal_store.h"
#include "io/signal_store_index.h"
#include "io/write_flac.h"  // fits_16_bits

namespace amae {
namespace {

template <class T>
at::Tensor tensor_of(const std::vector<T>& values, at::ScalarType type) {
  at::Tensor out = at::empty({static_cast<int64_t>(values.size())}, c10::CppTypeToScalarType<T>::value);
  if (!values.empty()) std::memcpy(out.mutable_data_ptr(), values.data(), sizeof(T) * values.size());
  return out.to(type);
}

/// The one value that all rows have, or every row's.
template <class T>
std::vector<T> shortest(const std::vector<T>& values) {
  const bool alike = std::all_of(values.begin(), values.end(), [&](const T& v) { return v == values[0]; });
  return alike ? std::vector<T>(values.begin(), values.begin() + std::min<int64_t>(1, std::ssize(values))) : values;
}

/// Integers have one zero only.
bool has_negative_zero(const at::Tensor& samples) {
  const float* x = samples.const_data_ptr<float>();
  return std::any_of(x, x + samples.numel(), [](float value) { return value == 0 && std::signbit(value); });
}

void add_texts(TensorDict& tensors, const std::vector<std::string>& texts, const std::string& bytes_name,
               const std::string& ends_name) {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> ends;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<int64_t>(bytes.size()));
  }
  tensors[bytes_name] = tensor_of(bytes, at::kByte);
  tensors[ends_name] = tensor_of(ends, at::kLong);
}

}  // namespace

StoreWriter::StoreWriter(std::filesystem::path folder) : folder_(std::move(folder)) {
  const std::filesystem::path path = folder_ / kStoreSamples;
  file_ = std::fopen(path.c_str(), "wbe");
  if (file_ == nullptr)
    throw EnvironmentError("FILE", path.string(), fmt::format("cannot create: {}", std::strerror(errno)));
}

StoreWriter::~StoreWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void StoreWriter::write(const void* data, size_t count) {
  if (std::fwrite(data, 1, count, file_) != count) {
    throw EnvironmentError("FILE", (folder_ / kStoreSamples).string(),
                           fmt::format("cannot write: {}", std::strerror(errno)));
  }
  bytes_ += static_cast<int64_t>(count);
}

void StoreWriter::add(const Signal& signal) {
  const at::Tensor samples = signal.samples.contiguous();
  const bool small = fits_16_bits(samples) && !has_negative_zero(samples);
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
    throw EnvironmentError("FILE", (folder_ / kStoreSamples).string(),
                           fmt::format("cannot write: {}", std::strerror(errno)));
  }
  const auto bits = shortest(bits_), channels = shortest(channels_), frames = shortest(frames_);
  const auto rates = shortest(rates_);
  TensorDict tensors{{"bits", tensor_of(bits, at::kByte)},
                     {"channels", tensor_of(channels, at::kLong)},  // not a plugin: a column
                     {"frames", tensor_of(frames, at::kLong)},
                     {"rate_hz", tensor_of(rates, at::kDouble)}};
  if (bits.size() > 1 || channels.size() > 1 || frames.size() > 1 || rates.size() > 1)
    tensors["offset"] = tensor_of(offsets_, at::kLong);
  add_texts(tensors, columns.ids, "id_bytes", "id_ends");
  if (columns.labels.defined()) tensors["labels"] = columns.labels;
  if (!columns.folds.empty()) tensors["folds"] = tensor_of(columns.folds, at::kLong);
  if (!columns.groups.empty()) tensors["groups"] = tensor_of(columns.groups, at::kLong);
  for (const auto& [name, values] : columns.columns) tensors["column." + name] = tensor_of(values, at::kDouble);
  for (const auto& [name, texts] : columns.texts) {
    tensors["text." + name] = tensor_of(texts.index, at::kInt);
    add_texts(tensors, texts.values, "text_bytes." + name, "text_ends." + name);
  }
  write_safetensors(folder_ / kStoreIndex, tensors,
                    {{"format", kStoreFormat},
                     {"domain", to_string(columns.domain)},
                     {"classes", nlohmann::json(columns.classes).dump()},
                     {"samples_bytes", std::to_string(bytes_)}});
}

}  // namespace amae
