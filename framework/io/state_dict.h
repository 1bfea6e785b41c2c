// What a file of torch.save says of its tensors: names, shapes, and where their bytes lie. No LibTorch here.
// Source: PyTorch 2.6, torch/serialization.py (_save, _load) and caffe2/serialize/inline_container.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/pickle.h"
#include "io/zip_reader.h"

namespace amae {

enum class ElementType : uint8_t { float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, boolean };

/// A view into a storage; every element that it can reach lies in it. Counts are of elements.
struct StoredTensor {
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<int64_t> shape, strides;
  int64_t offset = 0;
  std::string storage;  ///< key: the archive's entry PREFIX/data/KEY
  int64_t storage_size = 0;
};

int64_t element_bytes(ElementType type);

struct StateDict {
  std::vector<StoredTensor> tensors;  ///< as written
  std::string key;                    ///< of the dict that holds them; empty: they stand at the top
  int64_t ignored = 0;                ///< entries of that dict that are no tensors
};

/// How pickles of torch.save are read.
PickleRules torch_pickle_rules();

/// The state dict of a parsed file: the first dict with tensors in it among `model`, `state_dict`, `model_state_dict`,
/// `module` and the top level itself. When every name begins with "module." (DataParallel), that is removed.
/// Throws InputError (code TORCH) when there is none, a name comes twice or has more than 1,000 bytes, a storage's key
/// has more than 100, a tensor reaches outside its storage, or all would fill more than 4 times the file's size; each
/// counts as its values, 64 bytes and 8 an axis.
StateDict find_state_dict(const Pickle& pickle, uint64_t file_size);

/// The same for a whole archive, with the entries that it needs compared: names below its prefix, little-endian, each
/// storage as long as the pickle says. TorchScript archives are refused by name. `prefix` becomes "archive/".
StateDict read_state_dict(const ZipReader& archive, std::string& prefix);

}  // namespace amae
