#include "compliance/allocation_limit.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <new>

namespace amae::compliance {
namespace {

/// Counts what passes through it. Blocks may outlive a limit, so it stays in place once it was needed.
class Counting final : public c10::Allocator {
 public:
  explicit Counting(c10::Allocator* inner) { inner_ = inner; }

  // LibTorch's libraries take raw blocks too, for which data and context must be one: a block's size is malloc's to
  // know.
  c10::DataPtr allocate(size_t bytes) override {
    if (limit > 0 && held + bytes > limit) throw std::bad_alloc();
    void* data = inner_->raw_allocate(bytes);
    held += ::malloc_usable_size(data);
    return {data, data, &Counting::release, c10::Device(c10::kCPU)};
  }
  [[nodiscard]] c10::DeleterFnPtr raw_deleter() const override { return &Counting::release; }

  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }

  inline static thread_local size_t limit = 0;
  inline static std::atomic<size_t> held{0};

 private:
  static void release(void* data) {
    held -= ::malloc_usable_size(data);
    inner_->raw_deallocate(data);
  }

  inline static c10::Allocator* inner_ = nullptr;
};

}  // namespace

AllocationLimit::AllocationLimit(size_t bytes) : before_(Counting::limit) {
  static Counting counting(c10::GetCPUAllocator());
  static const bool is_in_place = (c10::SetCPUAllocator(&counting, /*priority=*/100), true);
  static_cast<void>(is_in_place);
  const size_t limit = Counting::held + bytes;
  Counting::limit = before_ == 0 ? limit : std::min(before_, limit);
}

AllocationLimit::~AllocationLimit() { Counting::limit = before_; }

}  // namespace amae::compliance
