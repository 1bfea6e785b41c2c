#include "io/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "io/pickle_names.h"

namespace amae {
namespace {

constexpr size_t kMaxPickleValues = 1'000'000;
constexpr unsigned char kStop = '.';

}  // namespace

void PickleMachine::refuse(const std::string& message) const {
  const char* name = active_opcode(opcode_);
  pickle_.refuse(fmt::format("byte {}", start_), name == nullptr ? message : fmt::format("{} ({})", message, name));
}

Pickle::Ref PickleMachine::read() {
  if (const PickleRules& rules = pickle_.rules_; rules.min_protocol >= 2) {
    if (byte() != kProtoOpcode)
      refuse(fmt::format("got no pickle of protocol {} or later, expected one as {} writes it", rules.min_protocol,
                         rules.writer));
    if (const int protocol = byte(); protocol < rules.min_protocol || protocol > kMaxProtocol)
      refuse(fmt::format("got pickle protocol {}, expected {} to {}", protocol, rules.min_protocol, kMaxProtocol));
  }
  while (true) {
    start_ = source_.at();
    opcode_ = 0;
    opcode_ = byte();
    if (opcode_ == kStop) break;
    step(opcode_);
  }
  const Ref root = pop();
  if (!stack_.empty() || !marks_.empty()) refuse("got values that belong to nothing, expected one value at the end");
  if (source_.left() > 0)
    refuse(fmt::format("got {} bytes after the end, expected none (trailing bytes)", source_.left()));
  return root;
}

void PickleMachine::check_left(uint64_t count) {
  if (count > source_.left())
    refuse(fmt::format("got {} bytes, expected {} (the pickle is cut)", source_.left(), count));
}

std::string_view PickleMachine::take(uint64_t count) {
  check_left(count);
  const std::string_view bytes = source_.look(static_cast<size_t>(count)).substr(0, static_cast<size_t>(count));
  source_.skip(bytes.size());
  return bytes;
}

uint64_t PickleMachine::number(size_t width) {
  const std::string_view raw = take(width);
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
  return value;
}

std::string_view PickleMachine::line() {
  std::string_view text = source_.look(1);
  if (text.find('\n') == std::string_view::npos) text = source_.look(kMaxLine);
  const size_t end = text.find('\n');
  if (end == std::string_view::npos && text.size() == source_.left())
    refuse("got a name or number without an end (the pickle is cut)");
  if (end > kMaxLine) refuse(fmt::format("got a name or number of more than {} bytes, expected fewer", kMaxLine));
  source_.skip(end + 1);
  return text.substr(0, end);
}

Pickle::Ref PickleMachine::add(Value value) {
  if (pickle_.values_.size() >= kMaxPickleValues)
    refuse(fmt::format("got more than {} values, expected fewer", kMaxPickleValues));
  pickle_.values_.push_back(std::move(value));
  return static_cast<Ref>(pickle_.values_.size() - 1);
}

void PickleMachine::push(Ref ref) {
  if (stack_.size() >= kMaxPickleValues)
    refuse(fmt::format("got more than {} values at once, expected fewer", kMaxPickleValues));
  stack_.push_back(ref);
}

void PickleMachine::push(Kind kind) {
  Value value;
  value.kind = kind;
  push(std::move(value));
}

void PickleMachine::push_integer(Kind kind, int64_t integer) {
  Value value;
  value.kind = kind;
  value.integer = integer;
  push(std::move(value));
}

Pickle::Ref PickleMachine::pop() {
  // Values above the last mark belong to it: nothing but what closes it may take them.
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
    refuse("got an opcode that takes more values than there are (stack underflow)");
  const Ref top = stack_.back();
  stack_.pop_back();
  return top;
}

Pickle::Ref PickleMachine::top() {
  const Ref ref = pop();
  stack_.push_back(ref);
  return ref;
}

std::vector<Pickle::Ref> PickleMachine::pop_to_mark() {
  if (marks_.empty()) refuse("got the end of a list that has no beginning (no mark)");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Ref> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::remember(uint64_t number) {
  const Ref ref = top();
  if (memo_.size() >= kMaxPickleValues)
    refuse(fmt::format("got more than {} values to remember, expected fewer", kMaxPickleValues));
  memo_[static_cast<uint32_t>(number)] = ref;
}

void PickleMachine::recall(uint64_t number) {
  const auto found = memo_.find(static_cast<uint32_t>(number));
  if (found == memo_.end()) refuse(fmt::format("got memo {}, which nothing was stored in", number));
  push(found->second);
}

}  // namespace amae
