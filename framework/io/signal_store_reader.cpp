#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/safetensors.h"
#include "io/signal_store.h"
#include "io/signal_store_index.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxElements = int64_t{1} << 31;  // of one row

template <class T>
std::vector<T> values_of(const at::Tensor& column) {
  const at::Tensor plain = column.to(c10::CppTypeToScalarType<T>::value).contiguous();
  return {plain.const_data_ptr<T>(), plain.const_data_ptr<T>() + plain.numel()};
}

/// The tensors of an index, each checked for what it is to be when it is asked for.
class StoreIndex {
 public:
  explicit StoreIndex(const fs::path& path) : tensors_(read_safetensors(path, &metadata_)), file_(path, "STORE") {}

  [[noreturn]] void refuse(const std::string& message, const std::string& field) const { file_.refuse(message, field); }
  [[nodiscard]] const TensorDict& tensors() const { return tensors_; }
  [[nodiscard]] bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  [[nodiscard]] std::string metadata(const std::string& name) const {
    const auto found = metadata_.find(name);
    return found == metadata_.end() ? "" : found->second;
  }

  /// A column of `rows` values, or any number of them for -1; also of one for all rows where `may_be_one`.
  [[nodiscard]] const at::Tensor& column(const std::string& name, at::ScalarType type, int64_t rows,
                                         bool may_be_one = false) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) refuse("the column is missing", printable(name));
    const at::Tensor& tensor = found->second;
    const bool is_one = may_be_one && tensor.numel() == 1;
    if (tensor.scalar_type() != type || tensor.dim() != 1 || (rows >= 0 && tensor.size(0) != rows && !is_one)) {
      refuse(fmt::format("got {} {}, expected {} {}", tensor.numel(), c10::toString(tensor.scalar_type()),
                         rows < 0 ? "some" : std::to_string(rows), c10::toString(type)),
             printable(name));
    }
    return tensor;
  }

  /// Where each of `count` texts (-1: any number) ends in so many bytes.
  [[nodiscard]] std::vector<int64_t> ends(const std::string& name, int64_t count, size_t bytes) const {
    auto ends = values_of<int64_t>(column(name, at::kLong, count));
    int64_t begin = 0;
    for (const int64_t end : ends) {
      if (end < begin || end > static_cast<int64_t>(bytes)) refuse("got ends out of order", printable(name));
      begin = end;
    }
    return ends;
  }

  [[nodiscard]] std::string bytes(const std::string& name) const {
    const at::Tensor plain = column(name, at::kByte, -1).contiguous();
    return {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()};
  }

  [[nodiscard]] TextColumn texts(const std::string& name, int64_t rows) const {
    TextColumn found;
    const std::string all = bytes("text_bytes." + name);
    size_t begin = 0;
    for (const int64_t end : ends("text_ends." + name, -1, all.size())) {
      found.values.push_back(all.substr(begin, static_cast<size_t>(end) - begin));
      begin = static_cast<size_t>(end);
    }
    found.index = values_of<int32_t>(column("text." + name, at::kInt, rows));
    const auto count = static_cast<int32_t>(found.values.size());
    if (std::any_of(found.index.begin(), found.index.end(), [&](int32_t i) { return i < -1 || i >= count; }))
      refuse(fmt::format("got places outside the {} texts, expected -1 to {}", count, count - 1),
             printable("text." + name));
    return found;
  }

  [[nodiscard]] Domain domain() const {
    for (const Domain domain : {Domain::audio, Domain::iq, Domain::spectrogram}) {
      if (metadata("domain") == to_string(domain)) return domain;
    }
    refuse(fmt::format("got \"{}\", expected audio, iq or spectrogram", printable(metadata("domain"))), "domain");
  }

  [[nodiscard]] std::vector<std::string> classes() const {
    const auto list = nlohmann::json::parse(metadata("classes"), nullptr, false);
    if (!list.is_array()) refuse("got no JSON list of names", "classes");
    std::vector<std::string> names;
    for (const auto& name : list) {
      if (!name.is_string()) refuse("got a name that is no text", "classes");
      names.push_back(name.get<std::string>());
    }
    return names;
  }

  [[nodiscard]] at::Tensor labels(int64_t rows, int64_t classes) const {
    if (!has("labels")) return {};
    at::Tensor values = tensors_.at("labels");
    const bool one = values.dim() == 1 && values.scalar_type() == at::kLong && values.size(0) == rows;
    const bool several =
        values.dim() == 2 && values.scalar_type() == at::kFloat && values.size(0) == rows && values.size(1) == classes;
    if (!one && !several) refuse("got another shape or type than rows and classes call for", "labels");
    if (one && (values.min().item<int64_t>() < 0 || values.max().item<int64_t>() >= classes)) {
      refuse(fmt::format("got class indices {} to {}, expected 0 to {}", values.min().item<int64_t>(),
                         values.max().item<int64_t>(), classes - 1),
             "labels");
    }
    return values;
  }

 private:
  std::map<std::string, std::string> metadata_;
  TensorDict tensors_;
  RegularFile file_;
};

template <class T>
const T& at_row(const std::vector<T>& values, size_t row) {
  return values.size() == 1 ? values[0] : values[row];
}

}  // namespace

StoreReader::StoreReader(const fs::path& folder)
    : samples_(std::make_unique<RegularFile>(folder / kStoreSamples, "STORE")) {
  read_index(folder / kStoreIndex);
}

void StoreReader::read_index(const fs::path& path) {
  const StoreIndex index(path);
  if (const std::string format = index.metadata("format"); format != kStoreFormat)
    index.refuse(fmt::format("got format \"{}\", expected \"{}\"", printable(format), kStoreFormat), "format");
  if (const std::string bytes = index.metadata("samples_bytes"); bytes != std::to_string(samples_->size())) {
    samples_->refuse(fmt::format("got {} bytes, expected {} as in {} (cut or of another store)", samples_->size(),
                                 printable(bytes), kStoreIndex));
  }
  columns_.domain = index.domain();
  columns_.classes = index.classes();
  id_bytes_ = index.bytes("id_bytes");
  id_ends_ = index.ends("id_ends", -1, id_bytes_.size());
  rows_ = std::ssize(id_ends_);
  if (rows_ == 0) index.refuse("got no row, expected at least one", "id_ends");

  bits_ = values_of<int64_t>(index.column("bits", at::kByte, rows_, true));
  channels_ = values_of<int64_t>(index.column("channels", at::kLong, rows_, true));  // not a plugin: a column
  frames_ = values_of<int64_t>(index.column("frames", at::kLong, rows_, true));
  rates_ = values_of<double>(index.column("rate_hz", at::kDouble, rows_, true));
  const bool alike = bits_.size() == 1 && channels_.size() == 1 && frames_.size() == 1 && rates_.size() == 1;
  if (index.has("offset") || !alike) offsets_ = values_of<int64_t>(index.column("offset", at::kLong, rows_));
  const auto total = static_cast<int64_t>(samples_->size());
  for (int64_t row = 0; row < (offsets_.empty() ? 1 : rows_); ++row) {
    const auto i = static_cast<size_t>(row);
    const int64_t bits = at_row(bits_, i), channels = at_row(channels_, i), frames = at_row(frames_, i);
    const int64_t offset = offsets_.empty() ? 0 : offsets_[i];
    const bool sizes_fit = channels >= 1 && channels <= 65'536 && frames >= 0 && frames <= kMaxElements / channels;
    const bool bits_fit = bits == 16 || bits == 32;
    // Where rows follow one another, all of them must be there.
    const int64_t count = offsets_.empty() ? rows_ : 1, most = sizes_fit ? channels * frames * 4 : 0;
    if (!sizes_fit || !bits_fit || offset < 0 || offset > total ||
        (most > 0 && count > (total - offset) / (most * bits / 32)) || !(at_row(rates_, i) >= 0)) {
      index.refuse(fmt::format("row {}: got {} channels, {} frames of {} bits at {} Hz from byte {}, expected them "
                               "within the {} bytes of {}",
                               row, channels, frames, bits, at_row(rates_, i), offset, total, kStoreSamples),
                   "offset");
    }
  }
  columns_.labels = index.labels(rows_, std::ssize(columns_.classes));
  if (index.has("folds")) columns_.folds = values_of<int64_t>(index.column("folds", at::kLong, rows_));
  if (index.has("groups")) columns_.groups = values_of<int64_t>(index.column("groups", at::kLong, rows_));
  for (const auto& [name, tensor] : index.tensors()) {
    if (name.starts_with("column."))
      columns_.columns[name.substr(7)] = values_of<double>(index.column(name, at::kDouble, rows_));
    if (name.starts_with("text.")) columns_.texts[name.substr(5)] = index.texts(name.substr(5), rows_);
  }
}

StoreReader::Place StoreReader::place(int64_t row) const {
  if (row < 0 || row >= rows_) throw std::out_of_range(fmt::format("row {} of {}", row, rows_));
  const auto i = static_cast<size_t>(row);
  Place found{0, at_row(bits_, i), at_row(channels_, i), at_row(frames_, i), at_row(rates_, i)};
  found.offset = offsets_.empty() ? row * found.bytes() : offsets_[i];
  return found;
}

std::string StoreReader::id(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  const int64_t end = id_ends_.at(i), begin = i == 0 ? 0 : id_ends_[i - 1];
  return id_bytes_.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

Spec StoreReader::spec(int64_t row) const {
  const Place found = place(row);
  return {columns_.domain, {found.channels, found.frames}, found.rate_hz};
}

Spec StoreReader::common_spec() const {
  const auto common = [](const auto& values, auto otherwise) {
    const bool alike = std::all_of(values.begin(), values.end(), [&](const auto& v) { return v == values[0]; });
    return alike ? values[0] : otherwise;
  };
  return {columns_.domain, {common(channels_, int64_t{-1}), common(frames_, int64_t{-1})}, common(rates_, 0.0)};
}

Signal StoreReader::load(int64_t row) const {
  const Place found = place(row);
  const bool small = found.bits == 16;
  at::Tensor samples = at::empty({found.channels, found.frames}, small ? at::kShort : at::kFloat);
  samples_->read(static_cast<uint64_t>(found.offset), samples.mutable_data_ptr(), static_cast<size_t>(found.bytes()));
  if (small) samples = samples.to(at::kFloat).div_(32768);
  return {samples, found.rate_hz, columns_.domain};
}

std::string StoreReader::content_hash(int64_t row) const {
  const Place found = place(row);
  std::string bytes = fmt::format("{} {} {} {} {}\n", to_string(columns_.domain), found.channels, found.frames,
                                  found.bits, number_text(found.rate_hz));
  const size_t head = bytes.size();
  bytes.resize(head + static_cast<size_t>(found.bytes()));
  samples_->read(static_cast<uint64_t>(found.offset), bytes.data() + head, bytes.size() - head);
  return xxh3_hex(bytes);
}

}  // namespace amae
