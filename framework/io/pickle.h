// Python pickles as data: the opcodes and names that hold tensors, arrays and plain containers, and nothing that runs.
// Source: CPython, Lib/pickletools.py (opcodes of protocols 0-5); PyTorch 2.6, torch/_weights_only_unpickler.py; NumPy
// 2.2, numpy/_core/src/multiarray/methods.c (array_reduce, array_setstate).
//
//   pickle_source.h    where the bytes come from: memory, or a file a window at a time
//   pickle_bytes.h     where the bytes of texts and arrays stay
//   pickle_text.h      texts as protocols 0 and 1 write them
//   pickle_names.h     the names that are known
//   pickle_machine.h   the stack machine over all of these
//   pickle_array.h     NumPy arrays among the values, checked
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/pickle_bytes.h"
#include "io/regular_file.h"

namespace amae {

/// What one kind of file asks of its pickles, and how it speaks of them.
struct PickleRules {
  std::string code;                ///< of every error: "TORCH"
  int min_protocol = 0;            ///< protocols 0 and 1 have no header that tells them from any other file
  std::string writer;              ///< who writes such files: "torch.save"
  std::string content = "arrays";  ///< what is expected beside plain containers: "tensors"
  bool arrays_only = false;        ///< refuses the names of tensors and of inert objects too
};

/// A pickle of protocol 0 to 5, parsed. There is no interpreter behind it: a name such as os.system has no meaning
/// here, and is refused so that nobody takes such a file for a harmless one. Known names, and what becomes of them:
///
///   collections.OrderedDict                                a dict; attributes (a state dict's _metadata) are dropped
///   torch._utils._rebuild_tensor_v2, _rebuild_parameter…   a tensor
///   torch.FloatStorage and the like                        the element type in a persistent id ("storage", …)
///   torch.Size                                             a tuple
///   numpy.core.multiarray._reconstruct, numpy.core.numeric._frombuffer (numpy._core…), numpy.ndarray, numpy.dtype
///                                                          an array and its type; inert where they make anything else
///   numpy.core.multiarray.scalar                           an int, a float or a bool
///   _codecs.encode(text, "latin1")                         bytes, as Python 3 writes them in protocols 0 to 2
///   argparse.Namespace, ml_collections' ConfigDict, collections.Counter and defaultdict, pathlib's paths, Python's own
///   container and number types, torch.device, torch.float32 and its like
///                                                          inert: parsed, not kept
///
/// Refused with InputError (field = "FIELD, byte N", the opcode's name where it could fetch or run something): other
/// names and opcodes, calls with other arguments, a cut pickle, text that is not UTF-8, more than 1,000,000 values.
/// Memory: at most some 100 bytes a byte of pickle for values; texts and arrays are decoded once, into the memory that
/// keeps them, at most twice their bytes in the file; nothing is allocated for a length that the pickle only claims.
/// Nesting costs no stack.
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
    array,
    dtype,
    name,
    inert
  };

  struct Value {
    Kind kind = Kind::none;
    std::string_view text;  ///< text and bytes; a storage's key; a dtype ("f4"); a name in full ("torch.FloatStorage")
    int64_t integer = 0;  ///< boolean, integer; elements of a storage; a tensor's offset in elements; an array: 1 when
                          ///< in Fortran order; a dtype: its byte order, '<', '>', '=' or '|', 0 when it is no plain
                          ///< number; a text: 1 when it is a str of Python 2, whose bytes happen to be UTF-8
    double real = 0;
    std::vector<Ref> items;  ///< of tuple and list; dict: key, value, key, value…; storage: its type, a name;
                             ///< tensor: its storage, its sizes and its strides (tuples);
                             ///< array: its bytes, its shape (a tuple) and its dtype
  };

  /// `where` and `field` name file and entry in messages; `field` may be empty.
  Pickle(std::string bytes, std::string where, std::string field, PickleRules rules);
  /// All of a file, read a window at a time.
  Pickle(const RegularFile& file, PickleRules rules);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  [[nodiscard]] const Value& root() const { return values_[root_]; }
  [[nodiscard]] const Value& at(Ref ref) const { return values_[ref]; }
  [[nodiscard]] size_t size() const { return values_.size(); }  ///< values, for tests
  [[nodiscard]] const std::string& where() const { return where_; }

  /// Throws InputError about this pickle; with a `field`, about that of its entries.
  [[noreturn]] void refuse(const std::string& message) const;
  [[noreturn]] void refuse(const std::string& field, const std::string& message) const;

 private:
  friend class PickleMachine;
  std::string where_, field_;
  PickleRules rules_;
  PickleBytes bytes_;
  std::vector<Value> values_;
  Ref root_ = 0;
};

/// "a dict", "a tensor": for messages.
const char* kind_text(Pickle::Kind kind);

}  // namespace amae
