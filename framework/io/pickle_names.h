// The names of Python that a pickle may hold here: nothing else has a meaning.
#pragma once

#include <cstdint>
#include <string_view>

namespace amae {

/// What becomes of a known name when it is called.
enum class PickleRole : uint8_t {
  ordered_dict,
  tensor,
  parameter,
  size,
  storage_type,
  array,         ///< numpy…_reconstruct: an array without content, which BUILD fills
  array_buffer,  ///< numpy…_frombuffer
  array_type,    ///< numpy.ndarray, an argument of _reconstruct
  dtype,
  scalar,
  encode,  ///< _codecs.encode
  inert,
};

/// Whether it makes a NumPy array or scalar, or a part of one.
constexpr bool is_of_arrays(PickleRole role) { return role >= PickleRole::array && role <= PickleRole::encode; }

struct KnownName {
  std::string_view name;  ///< in full
  PickleRole role;
};

/// The entry of MODULE.NAME; null for a name that is not known.
const KnownName* known_name(std::string_view module, std::string_view name);

/// "GLOBAL" for opcodes that in Python fetch a name, call something or set attributes; else null.
const char* active_opcode(unsigned char opcode);

}  // namespace amae
