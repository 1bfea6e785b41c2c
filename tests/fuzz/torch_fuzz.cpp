// PyTorch files: any bytes are a state dict whose tensors lie within their storages, or refused. What begins as a zip
// archive goes through libzip, all else straight into the pickle parser, where most of what can go wrong is.
#include <set>

#include "amae/error.h"
#include "io/state_dict.h"
#include "target.h"

namespace {

__extension__ typedef __int128 Wide;  // too wide to overflow here

void check_pickle(const amae::Pickle& pickle, size_t bytes) {
  amae::fuzz::require(pickle.size() <= bytes, "values never outnumber bytes");
  for (size_t i = 0; i < pickle.size(); ++i) {
    const amae::Pickle::Value& value = pickle.at(static_cast<amae::Pickle::Ref>(i));
    for (const amae::Pickle::Ref ref : value.items) amae::fuzz::require(ref < pickle.size(), "values refer to values");
    if (value.kind == amae::Pickle::Kind::dict)
      amae::fuzz::require(value.items.size() % 2 == 0, "every key has a value");
  }
}

void check_state(const amae::StateDict& state) {
  amae::fuzz::require(!state.tensors.empty(), "a state dict has tensors");
  std::set<std::string> names;
  for (const amae::StoredTensor& tensor : state.tensors) {
    amae::fuzz::require(names.insert(tensor.name).second, "names differ");
    amae::fuzz::require(tensor.shape.size() == tensor.strides.size(), "every size has a stride");
    Wide last = tensor.offset, elements = 1;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      amae::fuzz::require(tensor.shape[i] >= 0 && tensor.strides[i] >= 0, "sizes and strides are counts");
      last += static_cast<Wide>(tensor.shape[i] - 1) * tensor.strides[i];
      elements *= tensor.shape[i];
      if (elements == 0) break;
    }
    amae::fuzz::require(elements == 0 || (tensor.offset >= 0 && last < tensor.storage_size),
                        "a view lies within its storage");
  }
}

}  // namespace

AMAE_FUZZ_TARGET(torch)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file;
  const std::string_view bytes = amae::fuzz::text_of(data, size);
  try {
    if (bytes.starts_with("PK")) {
      file.put(bytes);
      const amae::ZipReader archive(file.path(), "TORCH");
      std::string prefix;
      const amae::StateDict state = amae::read_state_dict(archive, prefix);
      check_state(state);
      for (const amae::StoredTensor& tensor : state.tensors) {
        const std::string name = prefix + "data/" + tensor.storage;
        amae::fuzz::require(archive.find(name) != nullptr, "every storage has an entry");
        static_cast<void>(archive.read_text(*archive.find(name), size));
      }
      return 0;
    }
    const amae::Pickle pickle(std::string(bytes), "torch", "data.pkl", amae::torch_pickle_rules());
    check_pickle(pickle, size);
    check_state(amae::find_state_dict(pickle, size));
  } catch (const amae::Error&) {  // refused
  }
  return 0;
}
