#include "io/pickle_names.h"

#include <algorithm>
#include <array>

namespace amae {
namespace {

using Role = PickleRole;

// Names are compared whole. Python 2's module names stand here because protocols 0 to 2 write them.
constexpr std::array kKnownNames = {
    KnownName{"collections.OrderedDict", Role::ordered_dict},
    KnownName{"torch._utils._rebuild_tensor_v2", Role::tensor},
    KnownName{"torch._utils._rebuild_parameter", Role::parameter},
    KnownName{"torch._utils._rebuild_parameter_with_state", Role::parameter},
    KnownName{"torch.Size", Role::size},
    KnownName{"torch.DoubleStorage", Role::storage_type},
    KnownName{"torch.FloatStorage", Role::storage_type},
    KnownName{"torch.HalfStorage", Role::storage_type},
    KnownName{"torch.BFloat16Storage", Role::storage_type},
    KnownName{"torch.LongStorage", Role::storage_type},
    KnownName{"torch.IntStorage", Role::storage_type},
    KnownName{"torch.ShortStorage", Role::storage_type},
    KnownName{"torch.CharStorage", Role::storage_type},
    KnownName{"torch.ByteStorage", Role::storage_type},
    KnownName{"torch.BoolStorage", Role::storage_type},
    // NumPy 2 renamed its core.
    KnownName{"numpy.core.multiarray._reconstruct", Role::array},
    KnownName{"numpy._core.multiarray._reconstruct", Role::array},
    KnownName{"numpy.core.numeric._frombuffer", Role::array_buffer},
    KnownName{"numpy._core.numeric._frombuffer", Role::array_buffer},
    KnownName{"numpy.ndarray", Role::array_type},
    KnownName{"numpy.dtype", Role::dtype},
    KnownName{"numpy.core.multiarray.scalar", Role::scalar},
    KnownName{"numpy._core.multiarray.scalar", Role::scalar},
    KnownName{"_codecs.encode", Role::encode},
    // What training scripts keep beside the weights: settings, counters, paths, numbers.
    KnownName{"argparse.Namespace", Role::inert},
    KnownName{"collections.Counter", Role::inert},
    KnownName{"collections.defaultdict", Role::inert},
    KnownName{"ml_collections.config_dict.config_dict.ConfigDict", Role::inert},
    KnownName{"ml_collections.config_dict.config_dict.FrozenConfigDict", Role::inert},
    KnownName{"ml_collections.config_dict.config_dict.FieldReference", Role::inert},
    KnownName{"pathlib.Path", Role::inert},
    KnownName{"pathlib.PosixPath", Role::inert},
    KnownName{"pathlib.PurePosixPath", Role::inert},
    KnownName{"pathlib.WindowsPath", Role::inert},
    KnownName{"pathlib._local.PosixPath", Role::inert},
    KnownName{"torch.device", Role::inert},
    KnownName{"torch.float64", Role::inert},
    KnownName{"torch.float32", Role::inert},
    KnownName{"torch.float16", Role::inert},
    KnownName{"torch.bfloat16", Role::inert},
    KnownName{"torch.int64", Role::inert},
    KnownName{"torch.int32", Role::inert},
    KnownName{"torch.int16", Role::inert},
    KnownName{"torch.int8", Role::inert},
    KnownName{"torch.uint8", Role::inert},
    KnownName{"torch.bool", Role::inert},
};
constexpr std::array<std::string_view, 13> kPlainTypes = {"bool",  "int",       "float", "complex", "str",
                                                          "bytes", "bytearray", "list",  "tuple",   "dict",
                                                          "set",   "frozenset", "object"};

}  // namespace

const KnownName* known_name(std::string_view module, std::string_view name) {
  static constexpr KnownName kPlain{"a plain type", Role::inert};
  if (module == "builtins" || module == "__builtin__")
    return std::find(kPlainTypes.begin(), kPlainTypes.end(), name) != kPlainTypes.end() ? &kPlain : nullptr;
  const auto* found = std::find_if(kKnownNames.begin(), kKnownNames.end(), [&](const KnownName& known) {
    return known.name.size() == module.size() + 1 + name.size() && known.name.starts_with(module) &&
           known.name[module.size()] == '.' && known.name.ends_with(name);
  });
  return found != kKnownNames.end() ? found : nullptr;
}

const char* active_opcode(unsigned char opcode) {
  switch (opcode) {
    case 'c':
      return "GLOBAL";
    case 0x93:
      return "STACK_GLOBAL";
    case 'i':
      return "INST";
    case 'o':
      return "OBJ";
    case 'R':
      return "REDUCE";
    case 0x81:
      return "NEWOBJ";
    case 0x92:
      return "NEWOBJ_EX";
    case 'b':
      return "BUILD";
    case 0x82:
      return "EXT1";
    case 0x83:
      return "EXT2";
    case 0x84:
      return "EXT4";
    case 'P':
      return "PERSID";
    case 'Q':
      return "BINPERSID";
    case 0x97:
      return "NEXT_BUFFER";
    case 0x98:
      return "READONLY_BUFFER";
    default:
      return nullptr;
  }
}

}  // namespace amae
