#include "io/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>
#include <utility>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr size_t kMaxPickleBytes = size_t{64} << 20;
constexpr size_t kMaxPickleValues = 1'000'000;
constexpr size_t kMaxPickleDepth = 10'000;  // of lists that are still open
constexpr int kMaxProtocol = 5;

/// What a known name means when it is called.
enum class Role : uint8_t { ordered_dict, tensor, parameter, size, storage_type, inert };

struct KnownName {
  std::string_view name;
  Role role;
};

// Names are compared whole. Python 2's module names stand here because protocol 2 writes them.
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
    KnownName{"_codecs.encode", Role::inert},
    KnownName{"numpy.dtype", Role::inert},
    KnownName{"numpy.ndarray", Role::inert},
    KnownName{"numpy.core.multiarray.scalar", Role::inert},
    KnownName{"numpy.core.multiarray._reconstruct", Role::inert},
    KnownName{"numpy._core.multiarray.scalar", Role::inert},
    KnownName{"numpy._core.multiarray._reconstruct", Role::inert},
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

/// The entry of a name that is known; null for any other.
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

}  // namespace

const char* kind_text(Pickle::Kind kind) {
  switch (kind) {
    case Pickle::Kind::none:
      return "None";
    case Pickle::Kind::boolean:
      return "a bool";
    case Pickle::Kind::integer:
      return "an int";
    case Pickle::Kind::real:
      return "a float";
    case Pickle::Kind::text:
      return "a text";
    case Pickle::Kind::bytes:
      return "bytes";
    case Pickle::Kind::tuple:
      return "a tuple";
    case Pickle::Kind::list:
      return "a list";
    case Pickle::Kind::dict:
      return "a dict";
    case Pickle::Kind::storage:
      return "a storage";
    case Pickle::Kind::tensor:
      return "a tensor";
    case Pickle::Kind::name:
      return "a name";
    case Pickle::Kind::inert:
      return "another object";
  }
  return "";
}

/// The stack machine. Each opcode makes at most one value, so that values never outnumber bytes.
class PickleReader {
 public:
  explicit PickleReader(Pickle& pickle) : pickle_(pickle), bytes_(pickle.bytes_) {}

  Pickle::Ref read() {
    if (byte() != kProto) refuse("got no pickle of protocol 2 or later, expected one as torch.save writes it");
    if (const int protocol = byte(); protocol < 2 || protocol > kMaxProtocol)
      refuse(fmt::format("got pickle protocol {}, expected 2 to {}", protocol, kMaxProtocol));
    while (true) {
      start_ = at_;
      const unsigned char opcode = byte();
      if (opcode == kStop) break;
      step(opcode);
    }
    const Ref root = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("got values that belong to nothing, expected one value at the end");
    if (at_ != bytes_.size())
      refuse(fmt::format("got {} bytes after the end, expected none (trailing bytes)", bytes_.size() - at_));
    return root;
  }

 private:
  using Ref = Pickle::Ref;
  using Kind = Pickle::Kind;
  using Value = Pickle::Value;
  static constexpr unsigned char kProto = 0x80, kStop = '.';

  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError("TORCH", pickle_.where_, fmt::format("{}, byte {}", pickle_.field_, start_), message);
  }

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) {
      refuse(fmt::format("got {} bytes, expected {} (the pickle is cut)", bytes_.size() - at_, count));
    }
    const std::string_view part = bytes_.substr(at_, static_cast<size_t>(count));
    at_ += static_cast<size_t>(count);
    return part;
  }
  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }
  /// Little-endian, as all sizes and numbers of a pickle but floats.
  uint64_t number(size_t width) {
    const std::string_view raw = take(width);
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
    return value;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("got a name without an end (the pickle is cut)");
    const std::string_view part = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return part;
  }

  Ref add(Value value) {
    if (pickle_.values_.size() >= kMaxPickleValues)
      refuse(fmt::format("got more than {} values, expected fewer", kMaxPickleValues));
    pickle_.values_.push_back(std::move(value));
    return static_cast<Ref>(pickle_.values_.size() - 1);
  }
  void push(Value value) { push(add(std::move(value))); }
  void push(Ref ref) {
    if (stack_.size() >= kMaxPickleValues)
      refuse(fmt::format("got more than {} values at once, expected fewer", kMaxPickleValues));
    stack_.push_back(ref);
  }
  void push(Kind kind) {
    Value value;
    value.kind = kind;
    push(std::move(value));
  }
  void push_integer(Kind kind, int64_t integer) {
    Value value;
    value.kind = kind;
    value.integer = integer;
    push(std::move(value));
  }
  void push_text(Kind kind, std::string_view text) {
    Value value;
    value.kind = kind;
    value.text = text;
    if (kind == Kind::text) {
      for (std::string_view rest = text; !rest.empty();) {
        const size_t length = utf8_length(rest);
        if (length == 0) refuse("got a text that is not UTF-8");
        rest.remove_prefix(length);
      }
    }
    push(std::move(value));
  }
  /// Text of Python 2, of any coding: text where it is UTF-8.
  void push_old_text(std::string_view text) {
    bool is_text = true;
    for (std::string_view rest = text; !rest.empty() && is_text;) {
      const size_t length = utf8_length(rest);
      is_text = length > 0;
      rest.remove_prefix(length);
    }
    push_text(is_text ? Kind::text : Kind::bytes, text);
  }

  /// Values above the last mark belong to it: nothing but what closes it may take them.
  [[nodiscard]] size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Ref pop() {
    if (stack_.size() <= floor()) refuse("got an opcode that takes more values than there are (stack underflow)");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Ref top() {
    const Ref ref = pop();
    stack_.push_back(ref);
    return ref;
  }
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) refuse("got the end of a list that has no beginning (no mark)");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  Value& value(Ref ref) { return pickle_.values_[ref]; }

  void push_tuple(size_t count) {
    Value tuple;
    tuple.kind = Kind::tuple;
    tuple.items.resize(count);
    for (size_t i = count; i-- > 0;) tuple.items[i] = pop();
    push(std::move(tuple));
  }

  void add_items(const std::vector<Ref>& items, Kind expected) {
    Value& target = value(top());
    if (target.kind == Kind::inert) return;
    if (target.kind != expected)
      refuse(fmt::format("got items for {}, expected {}", kind_text(target.kind), kind_text(expected)));
    if (expected == Kind::dict && items.size() % 2 != 0) refuse("got a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void push_name(std::string_view module, std::string_view name) {
    const KnownName* known = known_name(module, name);
    if (known == nullptr) {
      refuse(fmt::format("got {}.{}, expected only tensors and plain containers; nothing was run", printable(module),
                         printable(name)));
    }
    Value result;
    result.kind = Kind::name;
    result.text = known->name;
    result.integer = static_cast<int64_t>(known->role);
    push(std::move(result));
  }

  /// What comes of calling `callee` with a tuple of arguments.
  Ref call(Ref callee, Ref arguments) {
    const Value& name = value(callee);
    if (name.kind != Kind::name)
      refuse(fmt::format("got a call of {}, expected one of a known name; nothing was run", kind_text(name.kind)));
    if (value(arguments).kind != Kind::tuple)
      refuse(fmt::format("got {} as arguments, expected a tuple", kind_text(value(arguments).kind)));
    // No copy of the arguments: one long tuple may be passed a million times.
    const size_t count = value(arguments).items.size();
    const auto argument = [&](size_t i) { return value(arguments).items[i]; };
    const auto is = [&](size_t i, Kind kind) { return i < count && value(argument(i)).kind == kind; };
    Value result;
    switch (static_cast<Role>(name.integer)) {
      case Role::ordered_dict:
        if (count != 0) break;
        result.kind = Kind::dict;
        return add(std::move(result));
      case Role::tensor:  // (storage, offset, sizes, strides, requires_grad, hooks[, metadata])
        if (count < 6 || count > 7 || !is(0, Kind::storage) || !is(1, Kind::integer) || !is(2, Kind::tuple) ||
            !is(3, Kind::tuple))
          break;
        // Its metadata says whether values are to be negated or conjugated.
        if (count == 7 && !is(6, Kind::none) && !(is(6, Kind::dict) && value(argument(6)).items.empty())) break;
        result.kind = Kind::tensor;
        result.items = {argument(0), argument(2), argument(3)};
        result.integer = value(argument(1)).integer;
        return add(std::move(result));
      case Role::parameter:  // (tensor, requires_grad, hooks[, state])
        if (count < 3 || count > 4 || !is(0, Kind::tensor)) break;
        return argument(0);
      case Role::size:
        if (count != 1 || !is(0, Kind::tuple)) break;
        return argument(0);
      case Role::storage_type:
        break;
      case Role::inert:
        result.kind = Kind::inert;
        return add(std::move(result));
    }
    refuse(fmt::format("got {} called with other arguments than torch.save gives it", value(callee).text));
  }

  /// ("storage", type, key, location, elements)
  void push_storage() {
    const Ref id = pop();
    const auto part = [&](size_t i) -> const Value& { return value(value(id).items[i]); };
    if (value(id).kind != Kind::tuple || value(id).items.size() != 5 || part(0).kind != Kind::text ||
        part(0).text != "storage" || part(1).kind != Kind::name ||
        static_cast<Role>(part(1).integer) != Role::storage_type || part(2).kind != Kind::text ||
        part(4).kind != Kind::integer || part(4).integer < 0)
      refuse("got a persistent id of another kind, expected that of a storage of a known type");
    Value storage;
    storage.kind = Kind::storage;
    storage.text = part(2).text;
    storage.integer = part(4).integer;
    storage.items = {value(id).items[1]};
    push(std::move(storage));
  }

  void build() {
    const Ref state = pop();
    const Value& target = value(top());
    if (target.kind == Kind::inert || (target.kind == Kind::dict && value(state).kind == Kind::dict)) return;
    refuse(fmt::format("got a state for {}, expected none; nothing was run", kind_text(target.kind)));
  }

  void remember(uint64_t number) {
    const Ref ref = top();
    if (memo_.size() >= kMaxPickleValues)
      refuse(fmt::format("got more than {} values to remember, expected fewer", kMaxPickleValues));
    memo_[static_cast<uint32_t>(number)] = ref;
  }
  void recall(uint64_t number) {
    const auto found = memo_.find(static_cast<uint32_t>(number));
    if (found == memo_.end()) refuse(fmt::format("got memo {}, which nothing was stored in", number));
    push(found->second);
  }

  /// Two's complement of any length; what needs more than 64 bits is no size of ours.
  void push_long(std::string_view raw) {
    if (raw.size() > 8) return push(Kind::inert);
    uint64_t number = !raw.empty() && static_cast<signed char>(raw.back()) < 0 ? ~uint64_t{0} : 0;
    for (size_t i = raw.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(raw[i]);
    push_integer(Kind::integer, static_cast<int64_t>(number));
  }

  void push_real() {
    uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);  // big-endian
    Value real;
    real.kind = Kind::real;
    real.real = std::bit_cast<double>(bits);
    push(std::move(real));
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case kProto:
        byte();
        return;
      case 0x95:
        number(8);
        return;  // FRAME: only a hint for reading ahead
      case '(':
        if (marks_.size() >= kMaxPickleDepth)
          refuse(fmt::format("got more than {} levels, expected fewer", kMaxPickleDepth));
        marks_.push_back(stack_.size());
        return;
      case '0':
        pop();
        return;
      case '1':
        pop_to_mark();
        return;
      case '2':
        return push(top());
      case 'N':
        return push(Kind::none);
      case 0x88:
        return push_integer(Kind::boolean, 1);
      case 0x89:
        return push_integer(Kind::boolean, 0);
      case 'J':
        return push_integer(Kind::integer, static_cast<int32_t>(number(4)));
      case 'K':
        return push_integer(Kind::integer, static_cast<int64_t>(number(1)));
      case 'M':
        return push_integer(Kind::integer, static_cast<int64_t>(number(2)));
      case 0x8a:
        return push_long(take(number(1)));
      case 0x8b:
        return push_long(take(number(4)));
      case 'G':
        return push_real();
      case 'X':
        return push_text(Kind::text, take(number(4)));
      case 0x8c:
        return push_text(Kind::text, take(number(1)));
      case 0x8d:
        return push_text(Kind::text, take(number(8)));
      case 'U':
        return push_old_text(take(number(1)));
      case 'T':
        return push_old_text(take(number(4)));
      case 'B':
        return push_text(Kind::bytes, take(number(4)));
      case 'C':
        return push_text(Kind::bytes, take(number(1)));
      case 0x8e:
      case 0x96:
        return push_text(Kind::bytes, take(number(8)));
      case ')':
        return push(Kind::tuple);
      case 0x85:
        return push_tuple(1);
      case 0x86:
        return push_tuple(2);
      case 0x87:
        return push_tuple(3);
      case 't': {
        Value tuple;
        tuple.kind = Kind::tuple;
        tuple.items = pop_to_mark();
        return push(std::move(tuple));
      }
      case ']':
        return push(Kind::list);
      case 'a': {
        const Ref item = pop();
        return add_items({item}, Kind::list);
      }
      case 'e': {
        const std::vector<Ref> items = pop_to_mark();
        return add_items(items, Kind::list);
      }
      case '}':
        return push(Kind::dict);
      case 's': {
        const Ref item = pop(), key = pop();
        return add_items({key, item}, Kind::dict);
      }
      case 'u': {
        const std::vector<Ref> items = pop_to_mark();
        return add_items(items, Kind::dict);
      }
      case 0x8f:
        return push(Kind::inert);  // EMPTY_SET
      case 0x90: {                 // ADDITEMS
        pop_to_mark();
        if (value(top()).kind != Kind::inert) refuse("got items of a set for something else");
        return;
      }
      case 0x91:
        pop_to_mark();
        return push(Kind::inert);  // FROZENSET
      case 'i':                    // INST: refused as an opcode unless the name is worse
      case 'c': {
        const std::string_view module = line(), name = line();
        push_name(module, name);
        if (opcode == 'i') refuse("got opcode INST of protocol 0, expected none");
        return;
      }
      case 0x93: {  // STACK_GLOBAL
        const Ref name = pop(), module = pop();
        if (value(name).kind != Kind::text || value(module).kind != Kind::text) refuse("got a name that is no text");
        return push_name(value(module).text, value(name).text);
      }
      case 'R':     // REDUCE
      case 0x81: {  // NEWOBJ
        const Ref arguments = pop(), callee = pop();
        return push(call(callee, arguments));
      }
      case 0x92: {  // NEWOBJ_EX: keyword arguments, which only inert objects may have
        const Ref named = pop(), arguments = pop(), callee = pop();
        const Ref made = call(callee, arguments);
        if (value(made).kind != Kind::inert || value(named).kind != Kind::dict)
          refuse("got keyword arguments, expected none");
        return push(made);
      }
      case 'b':
        return build();
      case 'Q':
        return push_storage();
      case 'q':
        return remember(number(1));
      case 'r':
        return remember(number(4));
      case 0x94:
        return remember(memo_.size());
      case 'h':
        return recall(number(1));
      case 'j':
        return recall(number(4));
      default:
        refuse(fmt::format("got opcode 0x{:02x}, expected one that holds tensors and plain containers", opcode));
    }
  }

  Pickle& pickle_;
  std::string_view bytes_;
  size_t at_ = 0, start_ = 0;
  std::vector<Ref> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, Ref> memo_;
};

Pickle::Pickle(std::string bytes, std::string where, std::string field)
    : bytes_(std::move(bytes)), where_(std::move(where)), field_(std::move(field)) {
  if (bytes_.size() > kMaxPickleBytes)
    refuse(fmt::format("got {} bytes, expected at most {}", bytes_.size(), kMaxPickleBytes));
  root_ = PickleReader(*this).read();
}

void Pickle::refuse(const std::string& message) const { throw InputError("TORCH", where_, field_, message); }

}  // namespace amae
