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

/// The state dict of a parsed file: the top level when it is a dict with tensors in it, else the one under `model`,
/// `state_dict`, `model_state_dict` or `module`. When every name begins with "module." (DataParallel), that is removed.
/// Throws InputError (code TORCH) when there is none, a name comes twice, or a tensor reaches outside its storage.
StateDict find_state_dict(const Pickle& pickle);

/// The same for a whole archive, with the entries that it needs compared: names below its prefix, little-endian, each
/// storage as long as the pickle says. TorchScript archives are refused by name. `prefix` becomes "archive/".
StateDict read_state_dict(const ZipReader& archive, std::string& prefix);

}  // namespace amae
