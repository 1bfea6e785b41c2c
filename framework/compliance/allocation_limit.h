// A ceiling on what LibTorch may hold at a time, so that a model of absurd size is a refusal and not a swapping
// machine.
#pragma once

#include <cstddef>

namespace amae::compliance {

/// While it lives, a tensor on the CPU that would bring what was allocated meanwhile above `bytes` throws
/// std::bad_alloc in the thread that made the limit. Nests: the narrowest counts.
class AllocationLimit {
 public:
  explicit AllocationLimit(size_t bytes);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;

 private:
  size_t before_;
};

}  // namespace amae::compliance
