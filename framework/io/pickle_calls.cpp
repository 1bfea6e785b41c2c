// What the known names do when a pickle calls them.
#include <fmt/format.h>

#include <array>
#include <bit>

#include "amae/error.h"
#include "base/text.h"
#include "io/pickle_machine.h"
#include "io/pickle_names.h"
#include "io/pickle_text.h"

namespace amae {
namespace {

constexpr size_t kSharedText = 16;  // Python keeps one copy of each text of a character, and so may pass it twice

}  // namespace

bool PickleMachine::step_call(unsigned char opcode) {
  switch (opcode) {
    case 'i':  // INST: refused as an opcode unless the name is worse
    case 'c':
      return push_global(), true;
    case 0x93:
      return push_stack_global(), true;
    case 'R':
    case 0x81: {  // NEWOBJ
      const Ref arguments = pop(), callee = pop();
      return push(call(callee, arguments)), true;
    }
    case 0x92: {  // NEWOBJ_EX
      const Ref named = pop(), arguments = pop(), callee = pop();
      return push(call_with_names(callee, arguments, named)), true;
    }
    case 'b':
      return build(), true;
    case 'Q':
      return push_storage(), true;
    default:
      return false;
  }
}

void PickleMachine::push_name(std::string_view module, std::string_view name) {
  const KnownName* known = known_name(module, name);
  if (known == nullptr || (pickle_.rules_.arrays_only && !is_of_arrays(known->role))) {
    refuse(fmt::format("got {}.{}, expected only {} and plain containers; nothing was run",
                       printable(module.substr(0, 100)), printable(name.substr(0, 100)), pickle_.rules_.content));
  }
  Value result;
  result.kind = Kind::name;
  result.text = known->name;
  result.integer = static_cast<int64_t>(known->role);
  push(std::move(result));
}

void PickleMachine::push_global() {
  const std::string module(line());
  const std::string name(line());
  push_name(module, name);
  if (opcode_ == 'i') refuse("got an opcode of protocol 0 that makes objects, expected none; nothing was run");
}

void PickleMachine::push_stack_global() {
  const Ref name = pop(), module = pop();
  if (value(name).kind != Kind::text || value(module).kind != Kind::text) refuse("got a name that is no text");
  push_name(value(module).text, value(name).text);
}

Pickle::Ref PickleMachine::call(Ref callee, Ref arguments) {
  if (value(callee).kind != Kind::name)
    refuse(
        fmt::format("got a call of {}, expected one of a known name; nothing was run", kind_text(value(callee).kind)));
  if (value(arguments).kind != Kind::tuple)
    refuse(fmt::format("got {} as arguments, expected a tuple", kind_text(value(arguments).kind)));
  // No copy of the arguments: one long tuple may be passed a million times. Valid until a value is added.
  const std::vector<Ref>& given = value(arguments).items;
  const auto is = [&](size_t i, Kind kind) { return i < given.size() && value(given[i]).kind == kind; };
  Value result;
  result.kind = Kind::inert;
  bool is_known = true;
  switch (static_cast<PickleRole>(value(callee).integer)) {
    case PickleRole::ordered_dict:
      is_known = given.empty();
      result.kind = Kind::dict;
      break;
    case PickleRole::tensor:
      is_known = make_tensor(given, result);
      break;
    case PickleRole::parameter:  // (tensor, requires_grad, hooks[, state])
      if (given.size() >= 3 && given.size() <= 4 && is(0, Kind::tensor)) return given[0];
      is_known = false;
      break;
    case PickleRole::size:
      if (given.size() == 1 && is(0, Kind::tuple)) return given[0];
      is_known = false;
      break;
    case PickleRole::storage_type:
      is_known = false;
      break;
    case PickleRole::array:  // (numpy.ndarray, (0,), b"b"): BUILD says the rest
      if (given.size() == 3 && is(0, Kind::name) &&
          static_cast<PickleRole>(value(given[0]).integer) == PickleRole::array_type)
        result.kind = Kind::array;
      break;
    case PickleRole::array_buffer:  // (bytes, dtype, shape, "C" or "F")
      if (given.size() == 4 && is(3, Kind::text))
        result = make_array(given[0], given[2], given[1], value(given[3]).text == "F");
      break;
    case PickleRole::dtype:
      result = make_dtype(given);
      break;
    case PickleRole::scalar:
      result = make_scalar(given);
      break;
    case PickleRole::encode:
      is_known = make_bytes(given, result);
      break;
    case PickleRole::array_type:
    case PickleRole::inert:
      break;
  }
  if (!is_known) {
    refuse(
        fmt::format("got {} called with other arguments than {} gives it", value(callee).text, pickle_.rules_.writer));
  }
  return add(std::move(result));
}

/// Keyword arguments, which only inert objects may have.
Pickle::Ref PickleMachine::call_with_names(Ref callee, Ref arguments, Ref named) {
  const Ref made = call(callee, arguments);
  if (value(made).kind != Kind::inert || value(named).kind != Kind::dict)
    refuse("got keyword arguments, expected none");
  return made;
}

/// (storage, offset, sizes, strides, requires_grad, hooks[, metadata])
bool PickleMachine::make_tensor(const std::vector<Ref>& given, Value& result) {
  constexpr std::array kKinds = {Kind::storage, Kind::integer, Kind::tuple, Kind::tuple};
  if (given.size() < 6 || given.size() > 7) return false;
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (value(given[i]).kind != kKinds[i]) return false;
  }
  if (given.size() == 7) {  // its metadata says whether values are to be negated or conjugated
    const Value& metadata = value(given[6]);
    if (metadata.kind != Kind::none && (metadata.kind != Kind::dict || !metadata.items.empty())) return false;
  }
  result.kind = Kind::tensor;
  result.items = {given[0], given[2], given[3]};
  result.integer = value(given[1]).integer;
  return true;
}

bool PickleMachine::is_bytes(Ref ref) const {
  const Value& value = pickle_.values_[ref];
  return value.kind == Kind::bytes || (value.kind == Kind::text && value.integer == 1);
}

/// (text, "latin1"): how Python 3 writes bytes in protocols 0 to 2.
bool PickleMachine::make_bytes(const std::vector<Ref>& given, Value& result) {
  const auto is_text = [&](size_t i) { return value(given[i]).kind == Kind::text && value(given[i]).integer == 0; };
  if (given.empty() || given.size() > 2 || !is_text(0) || !is_text(given.size() - 1)) return false;
  if (given.size() == 1 || (value(given[1]).text != "latin1" && value(given[1]).text != "latin-1"))
    return true;  // inert
  Value& text = value(given[0]);
  std::string_view bytes = text.text;
  if (bytes.size() <= kSharedText) {
    bytes = pickle_.bytes_.keep(bytes);
  } else {
    // One copy of an array's bytes must do, and many calls with one long text must not make many: the text is spent.
    text.kind = Kind::inert;
    text.text = {};
  }
  const size_t count = latin1_in_place(PickleBytes::writable(bytes), bytes.size());
  if (count == SIZE_MAX) return false;
  result.kind = Kind::bytes;
  result.text = pickle_.bytes_.shorten(bytes, count);
  return true;
}

Pickle::Value PickleMachine::make_array(Ref bytes, Ref shape, Ref dtype, bool is_fortran) {
  Value array;
  array.kind = Kind::inert;  // of objects, for example
  if (!is_bytes(bytes) || value(shape).kind != Kind::tuple || value(dtype).kind != Kind::dtype) return array;
  array.kind = Kind::array;
  array.items = {bytes, shape, dtype};
  array.integer = is_fortran ? 1 : 0;
  return array;
}

/// ("f4", align, copy)
Pickle::Value PickleMachine::make_dtype(const std::vector<Ref>& given) {
  Value dtype;
  dtype.kind = Kind::inert;
  // A longer text may still be spent (make_bytes), and names no type.
  if (given.empty() || value(given[0]).kind != Kind::text || value(given[0]).text.size() > kSharedText) return dtype;
  dtype.kind = Kind::dtype;
  dtype.text = value(given[0]).text;
  return dtype;
}

/// (dtype, bytes)
Pickle::Value PickleMachine::make_scalar(const std::vector<Ref>& given) {
  Value scalar;
  scalar.kind = Kind::inert;
  if (given.size() != 2 || value(given[0]).kind != Kind::dtype || !is_bytes(given[1])) return scalar;
  const Value& dtype = value(given[0]);
  const std::string_view raw = value(given[1]).text;
  if (dtype.text.size() != 2 || raw.empty() || raw.size() > 8 || dtype.text[1] - '0' != static_cast<int>(raw.size()))
    return scalar;
  uint64_t bits = 0;
  for (size_t i = 0; i < raw.size(); ++i)
    bits = bits << 8 | static_cast<unsigned char>(raw[dtype.integer == '>' ? i : raw.size() - 1 - i]);
  const int unused = 64 - 8 * static_cast<int>(raw.size());
  if (dtype.text[0] == 'i') {
    scalar.kind = Kind::integer;
    scalar.integer = static_cast<int64_t>(bits << unused) >> unused;
  } else if (dtype.text[0] == 'u' && bits <= INT64_MAX) {
    scalar.kind = Kind::integer;
    scalar.integer = static_cast<int64_t>(bits);
  } else if (dtype.text[0] == 'b' && bits <= 1) {
    scalar.kind = Kind::boolean;
    scalar.integer = static_cast<int64_t>(bits);
  } else if (dtype.text == "f8" || dtype.text == "f4") {
    scalar.kind = Kind::real;
    scalar.real = dtype.text == "f8" ? std::bit_cast<double>(bits)
                                     : static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  return scalar;
}

void PickleMachine::push_storage() {
  const Ref id = pop();
  const auto part = [&](size_t i) -> const Value& { return value(value(id).items[i]); };
  if (value(id).kind != Kind::tuple || value(id).items.size() != 5 || part(0).kind != Kind::text ||
      part(0).text != "storage" || part(1).kind != Kind::name ||
      static_cast<PickleRole>(part(1).integer) != PickleRole::storage_type || part(2).kind != Kind::text ||
      part(4).kind != Kind::integer || part(4).integer < 0)
    refuse("got a persistent id of another kind, expected that of a storage of a known type");
  Value storage;
  storage.kind = Kind::storage;
  storage.text = part(2).text.size() <= kSharedText ? part(2).text : pickle_.bytes_.keep(part(2).text.substr(0, 101));
  storage.integer = part(4).integer;
  storage.items = {value(id).items[1]};
  push(std::move(storage));
}

void PickleMachine::build() {
  const Ref state = pop();
  Value& target = value(top());
  if (target.kind == Kind::inert || (target.kind == Kind::dict && value(state).kind == Kind::dict)) return;
  if (target.kind == Kind::array) return fill_array(target, state);
  if (target.kind == Kind::dtype) return fill_dtype(target, state);
  refuse(fmt::format("got a state for {}, expected none; nothing was run", kind_text(target.kind)));
}

/// (version, shape, dtype, is in Fortran order, bytes); inert with any other state, as a list of objects.
void PickleMachine::fill_array(Value& array, Ref state) {
  const Value& tuple = value(state);
  Value filled;
  filled.kind = Kind::inert;
  if (tuple.kind == Kind::tuple && tuple.items.size() == 5) {
    const Value& order = value(tuple.items[3]);
    if (order.kind == Kind::boolean || order.kind == Kind::integer)
      filled = make_array(tuple.items[4], tuple.items[1], tuple.items[2], order.integer != 0);
  }
  array = std::move(filled);
}

/// (version, byte order, subarray, names, fields, …), the last three None for plain numbers.
void PickleMachine::fill_dtype(Value& dtype, Ref state) {
  const Value& tuple = value(state);
  if (tuple.kind != Kind::tuple || tuple.items.size() < 5) return;
  const Value& order = value(tuple.items[1]);
  for (size_t i = 2; i < 5; ++i) {
    if (value(tuple.items[i]).kind != Kind::none) return;
  }
  if (order.kind == Kind::text && order.text.size() == 1 &&
      std::string_view("<>=|").find(order.text[0]) != std::string_view::npos)
    dtype.integer = order.text[0];
}

}  // namespace amae
