#include "io/pickle_bytes.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace amae {

void GrowingBytes::resize(size_t capacity) {
  void* moved = std::realloc(data_.get(), std::max<size_t>(capacity, 1));
  if (moved == nullptr) throw std::bad_alloc();
  static_cast<void>(data_.release());  // realloc has freed it
  data_.reset(static_cast<char*>(moved));
  capacity_ = capacity;
}

char* GrowingBytes::room(size_t count) {
  if (capacity_ - size_ < count) resize(std::max(size_ + count, 2 * capacity_));
  return data_.get() + size_;
}

std::string_view PickleBytes::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (blocks_.empty() || blocks_.back().capacity_ - blocks_.back().size_ < bytes.size()) {
    blocks_.emplace_back();
    blocks_.back().resize(std::max(bytes.size(), 4 * kLarge));
  }
  char* target = blocks_.back().room(bytes.size());
  std::memcpy(target, bytes.data(), bytes.size());
  blocks_.back().added(bytes.size());
  return {target, bytes.size()};
}

std::string_view PickleBytes::keep(GrowingBytes& bytes) {
  if (bytes.size_ < kLarge) {
    const std::string_view kept = keep(bytes.view());
    bytes.clear();
    return kept;
  }
  large_.push_back(std::exchange(bytes, {}));
  large_.back().resize(large_.back().size_);
  return large_.back().view();
}

std::string_view PickleBytes::shorten(std::string_view kept, size_t count) {
  if (large_.empty() || large_.back().data_.get() != kept.data()) return kept.substr(0, count);
  large_.back().resize(count);
  large_.back().size_ = count;
  return large_.back().view();
}

}  // namespace amae
