// The stack machine that turns a pickle's opcodes into values: its stack (pickle_machine.cpp), the opcodes
// (pickle_opcodes.cpp), and what known names do when called (pickle_calls.cpp).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/pickle.h"
#include "io/pickle_source.h"

namespace amae {

/// Each opcode makes at most one value, so that values never outnumber bytes.
class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, PickleSource source) : pickle_(pickle), source_(std::move(source)) {}

  /// Runs to the end and returns the one value that is left.
  Pickle::Ref read();

 private:
  using Ref = Pickle::Ref;
  using Kind = Pickle::Kind;
  using Value = Pickle::Value;

  static constexpr unsigned char kProtoOpcode = 0x80;
  static constexpr int kMaxProtocol = 5;
  static constexpr size_t kMaxLine = size_t{1} << 16;  // of names and numbers

  [[noreturn]] void refuse(const std::string& message) const;

  // The bytes.
  std::string_view take(uint64_t count);  ///< at most a window's; valid until the next of these
  void check_left(uint64_t count);
  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }
  uint64_t number(size_t width);  ///< little-endian, as all sizes and numbers of a pickle but floats
  std::string_view line();        ///< without its end

  // The values.
  Value& value(Ref ref) { return pickle_.values_[ref]; }
  Ref add(Value value);
  void push(Ref ref);
  void push(Value value) { push(add(std::move(value))); }
  void push(Kind kind);
  void push_integer(Kind kind, int64_t integer);
  Ref pop();
  Ref top();
  std::vector<Ref> pop_to_mark();
  void remember(uint64_t number);
  void recall(uint64_t number);

  void step(unsigned char opcode);
  bool step_number(unsigned char opcode);  ///< these four: whether it was one of theirs
  bool step_text(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_call(unsigned char opcode);

  // Numbers.
  void push_long(std::string_view raw);      ///< two's complement
  void push_decimal(std::string_view text);  ///< of protocols 0 and 1
  void push_real();
  void push_decimal_real();
  uint64_t memo_number();  ///< in decimal digits

  // Texts.
  enum class Text { unicode, bytes, python2 };
  void push_text(uint64_t count, Text type);
  void push_text(std::string_view kept, Text type);
  void push_line(const char* (*decode)(PickleSource&, GrowingBytes&), Text type);

  // Containers.
  void push_mark();
  void push_tuple(size_t count);
  void push_items(Kind kind, std::vector<Ref> items);
  void add_items(const std::vector<Ref>& items, Kind expected);

  // Names and what they make (pickle_calls.cpp).
  void push_name(std::string_view module, std::string_view name);
  void push_global();        ///< GLOBAL and INST: two lines
  void push_stack_global();  ///< STACK_GLOBAL: two texts
  Ref call(Ref callee, Ref arguments);
  Ref call_with_names(Ref callee, Ref arguments, Ref named);
  void push_storage();  ///< ("storage", type, key, location, elements)
  void build();
  bool make_tensor(const std::vector<Ref>& arguments, Value& result);
  bool make_bytes(const std::vector<Ref>& arguments, Value& result);
  Value make_array(Ref bytes, Ref shape, Ref dtype, bool is_fortran);
  Value make_dtype(const std::vector<Ref>& arguments);
  Value make_scalar(const std::vector<Ref>& arguments);
  void fill_array(Value& array, Ref state);
  void fill_dtype(Value& dtype, Ref state);
  [[nodiscard]] bool is_bytes(Ref ref) const;  ///< also a str of Python 2

  Pickle& pickle_;
  PickleSource source_;
  GrowingBytes scratch_;
  unsigned char opcode_ = 0;
  uint64_t start_ = 0;  // offset of the opcode
  std::vector<Ref> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, Ref> memo_;
};

}  // namespace amae
