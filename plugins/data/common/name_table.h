// Millions of different names in one piece of memory, each with a number.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace amae {

/// Names get the numbers 0, 1, … in the order in which they come first. Costs a name's bytes and 16 more.
class NameTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  [[nodiscard]] size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view operator[](size_t number) const {
    const size_t begin = number == 0 ? 0 : ends_[number - 1];
    return {bytes_.data() + begin, ends_[number] - begin};
  }

  /// Its number, or kNone.
  [[nodiscard]] uint32_t find(std::string_view name) const { return slots_.empty() ? kNone : slots_[slot_of(name)]; }

  /// Its number; a new one when it was not there.
  uint32_t add(std::string_view name) {
    if (slots_.size() < 2 * (size() + 1)) grow();
    uint32_t& slot = slots_[slot_of(name)];
    if (slot == kNone) {
      slot = static_cast<uint32_t>(size());
      bytes_.insert(bytes_.end(), name.begin(), name.end());
      ends_.push_back(bytes_.size());
    }
    return slot;
  }

 private:
  // Where the name is or would be; slots_ is never full.
  [[nodiscard]] size_t slot_of(std::string_view name) const {
    const size_t mask = slots_.size() - 1;
    size_t at = std::hash<std::string_view>{}(name)&mask;
    while (slots_[at] != kNone && (*this)[slots_[at]] != name) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), kNone);
    for (size_t number = 0; number < size(); ++number) slots_[slot_of((*this)[number])] = static_cast<uint32_t>(number);
  }

  std::vector<char> bytes_;
  std::vector<size_t> ends_;     // of each name in bytes_
  std::vector<uint32_t> slots_;  // open hash table of numbers, a power of two, at most half full
};

}  // namespace amae
