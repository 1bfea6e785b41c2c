// Python pickles as data: the few opcodes and names that hold tensors and plain containers, and nothing that runs.
// Source: CPython, Lib/pickletools.py (opcodes of protocols 0-5); PyTorch 2.6, torch/_weights_only_unpickler.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amae {

/// A pickle of protocol 2 to 5, parsed. There is no interpreter behind it: a name such as os.system has no meaning
/// here, and is refused so that nobody takes such a file for a harmless one. Known names, and what becomes of them:
///
///   collections.OrderedDict                                a dict; attributes (a state dict's _metadata) are dropped
///   torch._utils._rebuild_tensor_v2, _rebuild_parameter…   a tensor
///   torch.FloatStorage and the like                        the element type in a persistent id ("storage", …)
///   torch.Size                                             a tuple
///   argparse.Namespace, ml_collections' ConfigDict, collections.Counter and defaultdict, pathlib's paths, Python's own
///   container and number types, NumPy's scalars and arrays, torch.device, torch.float32 and its like
///                                                          inert: parsed, not kept
///
/// Refused with InputError (code TORCH, field = "FIELD, byte N"): other names and opcodes, calls with other arguments,
/// a cut pickle, text that is not UTF-8, more than 64 MiB or 1,000,000 values. Memory: at most some 100 bytes a byte of
/// pickle, and nothing is allocated for a length that the pickle only claims. Nesting costs no stack.
class Pickle {
 public:
  using Ref = uint32_t;  ///< number of a value; the same value may stand in several places, even within itself

  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    bytes,
    tuple,
    list,
    dict,
    storage,
    tensor,
    name,
    inert
  };

  struct Value {
    Kind kind = Kind::none;
    std::string_view text;  ///< text and bytes; a storage's key; a name in full ("torch.FloatStorage")
    int64_t integer = 0;    ///< boolean, integer; elements of a storage; a tensor's offset in elements
    double real = 0;
    std::vector<Ref> items;  ///< of tuple and list; dict: key, value, key, value…; storage: its type, a name;
                             ///< tensor: its storage, its sizes and its strides (tuples)
  };

  /// `where` and `field` name file and entry in messages.
  Pickle(std::string bytes, std::string where, std::string field);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  [[nodiscard]] const Value& root() const { return values_[root_]; }
  [[nodiscard]] const Value& at(Ref ref) const { return values_[ref]; }
  [[nodiscard]] size_t size() const { return values_.size(); }  ///< values, for tests

  /// Throws InputError about this pickle.
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  friend class PickleReader;
  std::string bytes_, where_, field_;
  std::vector<Value> values_;
  Ref root_ = 0;
};

/// "a dict", "a tensor": for messages.
const char* kind_text(Pickle::Kind kind);

}  // namespace amae
