#include "io/safetensors.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "base/text.h"
#include "io/regular_file.h"

namespace amae {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian in the file and in memory");

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr size_t kMaxDimensions = 64;
constexpr const char* kMetadataKey = "__metadata__";

struct Dtype {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<Dtype, 10> kDtypes = {{{"F64", at::kDouble},
                                            {"F32", at::kFloat},
                                            {"F16", at::kHalf},
                                            {"BF16", at::kBFloat16},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"I16", at::kShort},
                                            {"I8", at::kChar},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool}}};

struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // in the tensor bytes
};

// Everything the header says, checked against itself and against the bytes that exist.
class HeaderReader {
 public:
  explicit HeaderReader(const RegularFile& file) : file_(file) {
    uint64_t length = 0;
    if (file.size() < 8)
      file.refuse(fmt::format("got {} bytes, expected at least 8 (header cut)", file.size()), "header");
    file.read(0, &length, 8);
    if (length > kMaxHeaderBytes) {
      file.refuse(fmt::format("got a header of {} bytes, expected at most {}", length, kMaxHeaderBytes), "header");
    }
    if (length > file.size() - 8) {
      file.refuse(fmt::format("got {} bytes of the header, expected {} (header cut)", file.size() - 8, length),
                  "header");
    }
    std::string text(static_cast<size_t>(length), '\0');
    file.read(8, text.data(), text.size());
    data_start_ = 8 + length;
    if (!text.starts_with('{')) file.refuse("got something else at byte 8, expected \"{\"", "header");
    const Json json = parse(text);
    for (const auto& [name, value] : json.items()) {
      if (name == kMetadataKey) {
        read_metadata(value);
      } else {
        entries_.push_back(read_entry(name, value));
      }
    }
    check_layout();
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] uint64_t data_start() const { return data_start_; }
  std::map<std::string, std::string>& metadata() { return metadata_; }

 private:
  [[noreturn]] void refuse(const std::string& tensor, const std::string& message) const {
    file_.refuse(message, printable(tensor));
  }

  Json parse(const std::string& text) const {
    // JSON itself lets a later duplicate win in silence: two readers of one file could then see different tensors.
    std::vector<std::set<std::string>> keys;
    const auto strict = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
        refuse(parsed.get<std::string>(), "got this key twice, expected each name once");
      }
      if (depth > 3) file_.refuse("got JSON nested deeper than tensors are, expected a safetensors header", "header");
      return true;
    };
    try {
      return Json::parse(text, strict);
    } catch (const Json::exception& error) {
      file_.refuse(fmt::format("got no valid JSON ({}), expected a safetensors header", printable(error.what())),
                   "header");
    }
  }

  void read_metadata(const Json& value) {
    if (!value.is_object()) refuse(kMetadataKey, "got no map, expected a map of text to text");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) refuse(std::string(kMetadataKey) + "." + key, "got no text, expected text");
      metadata_[key] = text.get<std::string>();
    }
  }

  [[nodiscard]] Entry read_entry(const std::string& name, const Json& value) const {
    Entry entry;
    entry.name = name;
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      refuse(name, "got other keys, expected exactly dtype, shape and data_offsets");
    }
    if (!value["dtype"].is_string()) refuse(name, "got a dtype that is no text, expected e.g. \"F32\"");
    const auto dtype = value["dtype"].get<std::string>();
    const auto* known = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.name == dtype; });
    if (known == kDtypes.end()) {
      refuse(name, fmt::format("got dtype \"{}\", expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL",
                               printable(dtype)));
    }
    entry.type = known->type;

    const Json& shape = value["shape"];
    if (!shape.is_array() || shape.size() > kMaxDimensions) refuse(name, "got no shape, expected up to 64 sizes");
    // Zero sizes are left out of `product` so that strides of empty tensors cannot overflow either.
    int64_t product = static_cast<int64_t>(c10::elementSize(entry.type));
    bool is_empty = false;
    for (const Json& size : shape) {
      if (!size.is_number_unsigned()) refuse(name, "got a shape with something else, expected whole numbers from 0");
      const auto wide = size.get<uint64_t>();
      if (wide == 0) is_empty = true;
      if (wide > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
          __builtin_mul_overflow(product, static_cast<int64_t>(std::max<uint64_t>(wide, 1)), &product)) {
        refuse(name, fmt::format("got shape {}, expected one whose bytes can be counted (overflow)", shape.dump()));
      }
      entry.shape.push_back(static_cast<int64_t>(wide));
    }

    const Json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      refuse(name, "got no data_offsets, expected [begin, end]");
    }
    entry.begin = offsets[0].get<uint64_t>();
    entry.end = offsets[1].get<uint64_t>();
    const uint64_t present = file_.size() - data_start_;
    if (entry.begin > entry.end || entry.end > present) {
      refuse(name, fmt::format("got data_offsets [{}, {}], expected a range within the {} bytes that follow the header",
                               entry.begin, entry.end, present));
    }
    const uint64_t expected = is_empty ? 0 : static_cast<uint64_t>(product);
    if (entry.end - entry.begin != expected) {
      refuse(name,
             fmt::format("got {} bytes, expected {} ({} {})", entry.end - entry.begin, expected, dtype, shape.dump()));
    }
    return entry;
  }

  // Tensors must tile the data: what no tensor owns could hide another file, what two own could alias.
  void check_layout() {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t at = 0;
    for (const Entry& entry : entries_) {
      if (entry.begin < at) {
        refuse(entry.name, fmt::format("got begin {}, expected {} (overlaps the tensor before)", entry.begin, at));
      }
      if (entry.begin > at) {
        refuse(entry.name, fmt::format("got begin {}, expected {} (a hole before it)", entry.begin, at));
      }
      at = entry.end;
    }
    const uint64_t present = file_.size() - data_start_;
    if (at != present) {
      file_.refuse(fmt::format("got {} bytes after the last tensor, expected none (trailing bytes)", present - at),
                   "data");
    }
  }

  const RegularFile& file_;
  uint64_t data_start_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

std::string_view dtype_name(const std::string& tensor, at::ScalarType type) {
  for (const Dtype& known : kDtypes) {
    if (known.type == type) return known.name;
  }
  throw std::invalid_argument(fmt::format("write_safetensors: tensor {} has dtype {}, which the format does not know",
                                          printable(tensor), c10::toString(type)));
}

// Header text, and the tensors in the order of their bytes.
std::string make_header(const TensorDict& tensors, const std::map<std::string, std::string>& metadata,
                        std::vector<const at::Tensor*>& order) {
  // Largest element first keeps every tensor aligned to its element, as the reference writer does.
  std::vector<const TensorDict::value_type*> items;
  for (const auto& item : tensors) {
    const auto& [name, tensor] = item;
    if (name == kMetadataKey) throw std::invalid_argument("write_safetensors: a tensor is named __metadata__");
    if (!tensor.defined() || tensor.layout() != at::kStrided) {
      throw std::invalid_argument("write_safetensors: tensor " + printable(name) + " is undefined or not dense");
    }
    dtype_name(name, tensor.scalar_type());
    items.push_back(&item);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const auto* a, const auto* b) { return a->second.element_size() > b->second.element_size(); });

  nlohmann::json header = nlohmann::json::object();  // keys sorted; "__metadata__" is written first by hand below
  uint64_t at = 0;
  for (const auto* item : items) {
    const at::Tensor& tensor = item->second;
    const uint64_t end = at + static_cast<uint64_t>(tensor.numel()) * static_cast<uint64_t>(tensor.element_size());
    header[item->first] = {{"dtype", dtype_name(item->first, tensor.scalar_type())},
                           {"shape", tensor.sizes().vec()},
                           {"data_offsets", {at, end}}};
    at = end;
    order.push_back(&tensor);
  }
  std::string text = header.dump();
  if (!metadata.empty()) {
    const std::string first = nlohmann::json(kMetadataKey).dump() + ":" + nlohmann::json(metadata).dump();
    text = "{" + first + (header.empty() ? "" : ",") + text.substr(1);
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : path_(path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) fail("create");
  }
  ~Writer() {
    if (fd_ >= 0) ::close(fd_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(const void* bytes, size_t count) {
    const auto* at = static_cast<const char*>(bytes);
    while (count > 0) {
      const auto done = ::write(fd_, at, count);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("write");
      at += done;
      count -= static_cast<size_t>(done);
    }
  }
  void close() {
    if (::close(std::exchange(fd_, -1)) != 0) fail("close");
  }

 private:
  [[noreturn]] void fail(const char* action) const {
    throw EnvironmentError("SAFETENSORS", printable(path_.string()),
                           fmt::format("cannot {}: {}", action, std::generic_category().message(errno)));
  }
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace

void write_safetensors(const std::filesystem::path& path, const TensorDict& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const at::Tensor*> order;
  std::string header;
  try {
    header = make_header(tensors, metadata, order);
  } catch (const nlohmann::json::exception& error) {  // names or metadata that are not UTF-8
    throw std::invalid_argument(std::string("write_safetensors: ") + printable(error.what()));
  }
  Writer out(path);
  const uint64_t length = header.size();
  out.write(&length, sizeof(length));
  out.write(header.data(), header.size());
  for (const at::Tensor* tensor : order) {
    const at::Tensor bytes = tensor->detach().cpu().contiguous();
    out.write(bytes.const_data_ptr(), bytes.nbytes());
  }
  out.close();
}

TensorDict read_safetensors(const std::filesystem::path& path, std::map<std::string, std::string>* metadata) {
  const RegularFile file(path, "SAFETENSORS");
  HeaderReader header(file);
  TensorDict tensors;
  for (const Entry& entry : header.entries()) {
    at::Tensor tensor = at::empty(entry.shape, entry.type);
    file.read(header.data_start() + entry.begin, tensor.mutable_data_ptr(), tensor.nbytes());
    if (entry.type == at::kBool) {
      const auto* bytes = static_cast<const unsigned char*>(tensor.const_data_ptr());
      const auto* bad = std::find_if(bytes, bytes + tensor.nbytes(), [](unsigned char b) { return b > 1; });
      if (bad != bytes + tensor.nbytes()) {  // undefined behaviour as a C++ bool
        file.refuse(fmt::format("got byte {} for a BOOL, expected 0 or 1", *bad), printable(entry.name));
      }
    }
    tensors[entry.name] = std::move(tensor);
  }
  if (metadata != nullptr) *metadata = std::move(header.metadata());
  return tensors;
}

}  // namespace amae
