#include "io/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "base/text.h"

namespace amae {
namespace {

constexpr uint64_t kMaxDataPickle = uint64_t{64} << 20;
constexpr size_t kMaxTensorAxes = 64;
constexpr size_t kMaxTensorName = 1000;
constexpr size_t kMaxStorageKey = 100;
constexpr const char* kResave = "save it again with torch.save(model.state_dict(), FILE)";

struct StorageType {
  std::string_view name;
  ElementType type;
};
constexpr std::array<StorageType, 10> kStorageTypes = {{{"torch.DoubleStorage", ElementType::float64},
                                                        {"torch.FloatStorage", ElementType::float32},
                                                        {"torch.HalfStorage", ElementType::float16},
                                                        {"torch.BFloat16Storage", ElementType::bfloat16},
                                                        {"torch.LongStorage", ElementType::int64},
                                                        {"torch.IntStorage", ElementType::int32},
                                                        {"torch.ShortStorage", ElementType::int16},
                                                        {"torch.CharStorage", ElementType::int8},
                                                        {"torch.ByteStorage", ElementType::uint8},
                                                        {"torch.BoolStorage", ElementType::boolean}}};

bool is_named_tensor(const Pickle& pickle, const Pickle::Value& dict, size_t key) {
  return pickle.at(dict.items[key]).kind == Pickle::Kind::text &&
         pickle.at(dict.items[key + 1]).kind == Pickle::Kind::tensor;
}

bool holds_tensor(const Pickle& pickle, const Pickle::Value& dict) {
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (is_named_tensor(pickle, dict, i)) return true;
  }
  return false;
}

/// The dict to take, and the key that it was found under.
const Pickle::Value& choose_dict(const Pickle& pickle, std::string& key) {
  const Pickle::Value& root = pickle.root();
  if (root.kind != Pickle::Kind::dict)
    pickle.refuse(fmt::format("got {} at the top, expected a dict of tensors; {}", kind_text(root.kind), kResave));
  // A checkpoint may hold lone tensors (a best accuracy) beside its model.
  for (const char* wanted : {"model", "state_dict", "model_state_dict", "module"}) {
    for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const Pickle::Value &name = pickle.at(root.items[i]), &value = pickle.at(root.items[i + 1]);
      if (name.kind != Pickle::Kind::text || name.text != wanted || value.kind != Pickle::Kind::dict ||
          !holds_tensor(pickle, value))
        continue;
      key = wanted;
      return value;
    }
  }
  if (holds_tensor(pickle, root)) return root;
  std::vector<std::string> keys;
  for (size_t i = 0; i < root.items.size() && keys.size() < 10; i += 2) {
    const Pickle::Value& name = pickle.at(root.items[i]);
    keys.push_back(name.kind == Pickle::Kind::text ? printable(name.text.substr(0, 100)) : kind_text(name.kind));
  }
  pickle.refuse(
      fmt::format("got no tensors at the top or under model, state_dict, model_state_dict or module, expected "
                  "a state dict; the keys are {}{}",
                  keys.empty() ? "none" : join(keys, ", "), root.items.size() > 20 ? ", …" : ""));
}

/// Whole numbers from 0.
std::vector<int64_t> counts_of(const Pickle& pickle, const Pickle::Value& tuple, const std::string& name,
                               const char* what) {
  if (tuple.items.size() > kMaxTensorAxes)
    pickle.refuse(
        fmt::format("got {} {} for tensor {}, expected at most {}", tuple.items.size(), what, name, kMaxTensorAxes));
  std::vector<int64_t> counts;
  for (const Pickle::Ref ref : tuple.items) {
    const Pickle::Value& value = pickle.at(ref);
    if (value.kind != Pickle::Kind::integer || value.integer < 0)
      pickle.refuse(fmt::format("got {} of tensor {} that are no whole numbers from 0", what, name));
    counts.push_back(value.integer);
  }
  return counts;
}

StoredTensor stored_tensor(const Pickle& pickle, const std::string& name, const Pickle::Value& value) {
  const Pickle::Value& storage = pickle.at(value.items[0]);
  const std::string_view type = pickle.at(storage.items[0]).text;
  StoredTensor tensor;
  tensor.name = name;
  const auto* known = std::find_if(kStorageTypes.begin(), kStorageTypes.end(),
                                   [&](const StorageType& candidate) { return candidate.name == type; });
  if (known == kStorageTypes.end()) pickle.refuse(fmt::format("got elements of {} in {}", type, printable(name)));
  tensor.type = known->type;
  const std::string shown = printable(name);
  tensor.shape = counts_of(pickle, pickle.at(value.items[1]), shown, "sizes");
  tensor.strides = counts_of(pickle, pickle.at(value.items[2]), shown, "strides");
  tensor.offset = value.integer;
  if (storage.text.size() > kMaxStorageKey) {
    pickle.refuse(fmt::format("tensor {}: got a storage key of {} bytes, expected at most {}", shown,
                              storage.text.size(), kMaxStorageKey));
  }
  tensor.storage = storage.text;
  tensor.storage_size = storage.integer;
  const auto refuse = [&](const std::string& message) { pickle.refuse("tensor " + shown + ": " + message); };
  if (tensor.strides.size() != tensor.shape.size())
    refuse(fmt::format("got {} strides, expected {}, one a size", tensor.strides.size(), tensor.shape.size()));
  // The last element that the view reaches; the sizes of an empty one are multiplied without its zeros, so that nothing
  // later overflows either.
  bool is_empty = false, overflows = tensor.offset < 0;
  int64_t last = std::max<int64_t>(tensor.offset, 0), elements = 1;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const int64_t size = std::max<int64_t>(tensor.shape[i], 1);
    is_empty = is_empty || tensor.shape[i] == 0;
    int64_t reach = 0;
    overflows = overflows || __builtin_mul_overflow(elements, size, &elements) ||
                __builtin_mul_overflow(size - 1, tensor.strides[i], &reach) ||
                __builtin_add_overflow(last, reach, &last);
  }
  int64_t bytes = 0;
  overflows = overflows || __builtin_mul_overflow(elements, element_bytes(tensor.type), &bytes) ||
              __builtin_mul_overflow(tensor.storage_size, element_bytes(tensor.type), &bytes);
  if (overflows || (!is_empty && last >= tensor.storage_size)) {
    refuse(
        fmt::format("got offset {}, sizes [{}] and strides [{}], expected a view within the {} elements of storage {}",
                    tensor.offset, fmt::join(tensor.shape, ", "), fmt::join(tensor.strides, ", "), tensor.storage_size,
                    printable(tensor.storage)));
  }
  return tensor;
}

/// Memory for the tensor's values and for itself, so that many empty ones count as well.
uint64_t memory_of(const StoredTensor& tensor) {
  auto size = static_cast<uint64_t>(element_bytes(tensor.type));
  for (const int64_t count : tensor.shape) size *= static_cast<uint64_t>(count);
  return size + 64 + 8 * tensor.shape.size();
}

}  // namespace

int64_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::float64:
    case ElementType::int64:
      return 8;
    case ElementType::float32:
    case ElementType::int32:
      return 4;
    case ElementType::float16:
    case ElementType::bfloat16:
    case ElementType::int16:
      return 2;
    case ElementType::int8:
    case ElementType::uint8:
    case ElementType::boolean:
      return 1;
  }
  return 0;
}

PickleRules torch_pickle_rules() { return {"TORCH", 2, "torch.save", "tensors"}; }

StateDict find_state_dict(const Pickle& pickle, uint64_t file_size) {
  StateDict state;
  uint64_t total = 0;
  const Pickle::Value& dict = choose_dict(pickle, state.key);
  std::set<std::string_view> names;
  bool all_parallel = true;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Pickle::Value &name = pickle.at(dict.items[i]), &value = pickle.at(dict.items[i + 1]);
    if (!is_named_tensor(pickle, dict, i)) {
      ++state.ignored;
      continue;
    }
    if (name.text.size() > kMaxTensorName)
      pickle.refuse(fmt::format("got a name of {} bytes, expected at most {}", name.text.size(), kMaxTensorName));
    if (!names.insert(name.text).second)
      pickle.refuse(fmt::format("got tensor {} twice, expected each name once", printable(name.text)));
    all_parallel = all_parallel && name.text.starts_with("module.");
    state.tensors.push_back(stored_tensor(pickle, std::string(name.text), value));
    const uint64_t size = memory_of(state.tensors.back());
    total += std::min(size, UINT64_MAX - total);
    // Views of one storage (tied weights) and expanded axes may add up to more than the file, within reason.
    if (total / 4 > file_size) {
      pickle.refuse(fmt::format("tensor {}: got tensors that fill more than 4 times the file ({}) by sharing its bytes",
                                printable(name.text), bytes_text(static_cast<double>(file_size))));
    }
  }
  if (all_parallel) {
    for (StoredTensor& tensor : state.tensors) tensor.name.erase(0, std::string_view("module.").size());
  }
  return state;
}

StateDict read_state_dict(const ZipReader& archive, std::string& prefix) {
  const RegularFile& file = archive.file();
  constexpr std::string_view kPickleName = "/data.pkl";
  const ZipEntry* data = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name.ends_with(kPickleName) && std::count(entry.name.begin(), entry.name.end(), '/') == 1) {
      if (data != nullptr) file.refuse("got two files data.pkl, expected one", printable(entry.name));
      data = &entry;
    }
  }
  if (data == nullptr)
    file.refuse("got a zip archive without NAME/data.pkl, expected a file of torch.save", "data.pkl");
  prefix = data->name.substr(0, data->name.size() - kPickleName.size() + 1);
  if (archive.find(prefix + "constants.pkl") != nullptr)
    file.refuse(std::string("got a TorchScript archive, expected a state dict; ") + kResave);
  if (const ZipEntry* order = archive.find(prefix + "byteorder"); order != nullptr) {
    if (const std::string text = archive.read_text(*order, 100); text != "little")
      file.refuse(fmt::format("got byte order '{}', expected little", printable(text)), "byteorder");
  }
  const ZipEntry* version = archive.find(prefix + "version");
  if (version == nullptr) file.refuse("is missing, expected the version of the archive's format", "version");
  const std::string text = archive.read_text(*version, 100);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number < 1 || number > 10)  // caffe2/serialize/versions.h
    file.refuse(fmt::format("got version '{}' of the archive's format, expected 1 to 10", printable(text)), "version");

  const Pickle pickle(archive.read_text(*data, kMaxDataPickle), file.where(), "data.pkl", torch_pickle_rules());
  StateDict state = find_state_dict(pickle, file.size());
  for (const StoredTensor& tensor : state.tensors) {
    const std::string name = prefix + "data/" + tensor.storage;
    const auto refuse = [&](const std::string& message) {
      file.refuse(fmt::format("tensor {}: {}", printable(tensor.name), message), printable(name));
    };
    const ZipEntry* entry = archive.find(name);
    if (entry == nullptr) refuse("got no such entry, expected the bytes of its storage");
    if (!entry->is_plain) refuse("got a compressed or encrypted entry, expected a stored one");
    const auto bytes = static_cast<uint64_t>(tensor.storage_size * element_bytes(tensor.type));
    if (entry->size != bytes) refuse(fmt::format("got a storage of {} bytes, expected {}", entry->size, bytes));
  }
  return state;
}

}  // namespace amae
