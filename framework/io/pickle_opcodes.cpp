#include <fmt/format.h>

#include <bit>
#include <charconv>

#include "base/text.h"
#include "io/pickle_machine.h"
#include "io/pickle_text.h"

namespace amae {
namespace {

constexpr size_t kMaxPickleDepth = 10'000;  // of lists that are still open
constexpr size_t kCountedText = 1 << 14;    // from here on straight into memory of its own

}  // namespace

void PickleMachine::step(unsigned char opcode) {
  switch (opcode) {
    case kProtoOpcode:
      if (const int protocol = byte(); protocol > kMaxProtocol)
        refuse(fmt::format("got pickle protocol {}, expected 0 to {}", protocol, kMaxProtocol));
      return;
    case 0x95:
      number(8);
      return;  // FRAME: only a hint for reading ahead
    case '0':
      pop();
      return;
    case '1':
      pop_to_mark();
      return;
    case '2':
      return push(top());
    case 'p':
      return remember(memo_number());
    case 'q':
      return remember(number(1));
    case 'r':
      return remember(number(4));
    case 0x94:
      return remember(memo_.size());
    case 'g':
      return recall(memo_number());
    case 'h':
      return recall(number(1));
    case 'j':
      return recall(number(4));
    default:
      if (step_number(opcode) || step_text(opcode) || step_container(opcode) || step_call(opcode)) return;
      refuse(fmt::format("got opcode 0x{:02x}, expected one that holds {} and plain containers", opcode,
                         pickle_.rules_.content));
  }
}

bool PickleMachine::step_number(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      return push(Kind::none), true;
    case 0x88:
      return push_integer(Kind::boolean, 1), true;
    case 0x89:
      return push_integer(Kind::boolean, 0), true;
    case 'I':
    case 'L':
      return push_decimal(line()), true;
    case 'J':
      return push_integer(Kind::integer, static_cast<int32_t>(number(4))), true;
    case 'K':
      return push_integer(Kind::integer, static_cast<int64_t>(number(1))), true;
    case 'M':
      return push_integer(Kind::integer, static_cast<int64_t>(number(2))), true;
    case 0x8a:
      return push_long(take(number(1))), true;
    case 0x8b: {
      const uint64_t count = number(4);
      check_left(count);
      if (count > kMaxLine) refuse(fmt::format("got an int of {} bytes, expected at most {}", count, kMaxLine));
      return push_long(take(count)), true;
    }
    case 'F':
      return push_decimal_real(), true;
    case 'G':
      return push_real(), true;
    default:
      return false;
  }
}

bool PickleMachine::step_text(unsigned char opcode) {
  switch (opcode) {
    case 'X':
      return push_text(number(4), Text::unicode), true;
    case 0x8c:
      return push_text(number(1), Text::unicode), true;
    case 0x8d:
      return push_text(number(8), Text::unicode), true;
    case 'V':
      return push_line(read_raw_unicode, Text::unicode), true;
    case 'S':
      return push_line(read_quoted, Text::python2), true;
    case 'U':
      return push_text(number(1), Text::python2), true;
    case 'T':
      return push_text(number(4), Text::python2), true;
    case 'C':
      return push_text(number(1), Text::bytes), true;
    case 'B':
      return push_text(number(4), Text::bytes), true;
    case 0x8e:
    case 0x96:
      return push_text(number(8), Text::bytes), true;
    default:
      return false;
  }
}

bool PickleMachine::step_container(unsigned char opcode) {
  switch (opcode) {
    case '(':
      return push_mark(), true;
    case ')':
      return push(Kind::tuple), true;
    case 0x85:
      return push_tuple(1), true;
    case 0x86:
      return push_tuple(2), true;
    case 0x87:
      return push_tuple(3), true;
    case 't':
      return push_items(Kind::tuple, pop_to_mark()), true;
    case ']':
      return push(Kind::list), true;
    case 'l':
      return push_items(Kind::list, pop_to_mark()), true;
    case 'a':
      return add_items({pop()}, Kind::list), true;
    case 'e':
      return add_items(pop_to_mark(), Kind::list), true;
    case '}':
      return push(Kind::dict), true;
    case 'd':
      return push_items(Kind::dict, pop_to_mark()), true;
    case 's': {
      const Ref item = pop(), key = pop();
      return add_items({key, item}, Kind::dict), true;
    }
    case 'u':
      return add_items(pop_to_mark(), Kind::dict), true;
    case 0x8f:
      return push(Kind::inert), true;  // EMPTY_SET
    case 0x90:                         // ADDITEMS
      pop_to_mark();
      if (value(top()).kind != Kind::inert) refuse("got items of a set for something else");
      return true;
    case 0x91:
      pop_to_mark();
      return push(Kind::inert), true;  // FROZENSET
    default:
      return false;
  }
}

/// What needs more than 64 bits is no size of ours.
void PickleMachine::push_long(std::string_view raw) {
  if (raw.size() > 8) return push(Kind::inert);
  uint64_t number = !raw.empty() && static_cast<signed char>(raw.back()) < 0 ? ~uint64_t{0} : 0;
  for (size_t i = raw.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(raw[i]);
  push_integer(Kind::integer, static_cast<int64_t>(number));
}

void PickleMachine::push_decimal(std::string_view text) {
  if (opcode_ == 'I' && (text == "00" || text == "01")) return push_integer(Kind::boolean, text == "01" ? 1 : 0);
  if (opcode_ == 'L' && text.ends_with('L')) text.remove_suffix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument)
    refuse(fmt::format("got '{}', expected a whole number", printable(text.substr(0, 100))));
  if (error == std::errc::result_out_of_range) return push(Kind::inert);
  push_integer(Kind::integer, number);
}

void PickleMachine::push_real() {
  uint64_t bits = 0;
  for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);  // big-endian
  Value real;
  real.kind = Kind::real;
  real.real = std::bit_cast<double>(bits);
  push(std::move(real));
}

void PickleMachine::push_decimal_real() {
  const std::string_view text = line();
  Value real;
  real.kind = Kind::real;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real.real);
  if (end != text.data() + text.size() || error != std::errc())
    refuse(fmt::format("got '{}', expected a float", printable(text.substr(0, 100))));
  push(std::move(real));
}

uint64_t PickleMachine::memo_number() {
  const std::string_view text = line();
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || error != std::errc())
    refuse(fmt::format("got '{}', expected the number of a memo", printable(text.substr(0, 100))));
  return number;
}

void PickleMachine::push_text(uint64_t count, Text type) {
  check_left(count);
  if (count < kCountedText) return push_text(pickle_.bytes_.keep(take(count)), type);
  GrowingBytes bytes;
  source_.read(bytes.room(static_cast<size_t>(count)), static_cast<size_t>(count));
  bytes.added(static_cast<size_t>(count));
  push_text(pickle_.bytes_.keep(bytes), type);
}

void PickleMachine::push_line(const char* (*decode)(PickleSource&, GrowingBytes&), Text type) {
  scratch_.clear();
  if (const char* problem = decode(source_, scratch_); problem != nullptr) refuse(problem);
  push_text(pickle_.bytes_.keep(scratch_), type);
}

void PickleMachine::push_text(std::string_view kept, Text type) {
  Value value;
  value.text = kept;
  value.kind = type == Text::bytes ? Kind::bytes : Kind::text;
  if (type == Text::unicode && !is_utf8(kept)) refuse("got a text that is not UTF-8");
  if (type == Text::python2) {
    value.integer = 1;
    if (!is_utf8(kept)) value.kind = Kind::bytes;
  }
  push(std::move(value));
}

void PickleMachine::push_mark() {
  if (marks_.size() >= kMaxPickleDepth) refuse(fmt::format("got more than {} levels, expected fewer", kMaxPickleDepth));
  marks_.push_back(stack_.size());
}

void PickleMachine::push_tuple(size_t count) {
  std::vector<Ref> items(count);
  for (size_t i = count; i-- > 0;) items[i] = pop();
  push_items(Kind::tuple, std::move(items));
}

void PickleMachine::push_items(Kind kind, std::vector<Ref> items) {
  if (kind == Kind::dict && items.size() % 2 != 0) refuse("got a key without a value");
  Value value;
  value.kind = kind;
  value.items = std::move(items);
  push(std::move(value));
}

void PickleMachine::add_items(const std::vector<Ref>& items, Kind expected) {
  Value& target = value(top());
  if (target.kind == Kind::inert) return;
  if (target.kind != expected)
    refuse(fmt::format("got items for {}, expected {}", kind_text(target.kind), kind_text(expected)));
  if (expected == Kind::dict && items.size() % 2 != 0) refuse("got a key without a value");
  target.items.insert(target.items.end(), items.begin(), items.end());
}

}  // namespace amae
