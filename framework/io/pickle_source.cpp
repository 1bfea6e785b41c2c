#include "io/pickle_source.h"

#include <algorithm>
#include <cstring>

namespace amae {

void PickleSource::fill(size_t count) {
  if (read_ == size_ || count > kWindow) return;
  const size_t held = end_ - begin_;
  if (buffer_.empty()) buffer_.resize(static_cast<size_t>(std::min<uint64_t>(size_, kWindow)));
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, held);
  const auto more = static_cast<size_t>(std::min<uint64_t>(size_ - read_, buffer_.size() - held));
  file_->read(read_, buffer_.data() + held, more);
  begin_ = 0;
  end_ = held + more;
  read_ += more;
}

void PickleSource::read(char* target, size_t count) {
  const size_t held = std::min(count, end_ - begin_);
  std::memcpy(target, buffer_.data() + begin_, held);
  begin_ += held;
  if (held == count) return;
  file_->read(read_, target + held, count - held);
  read_ += count - held;
}

}  // namespace amae
