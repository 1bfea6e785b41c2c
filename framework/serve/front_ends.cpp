#include "serve/front_ends.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace amae::serve {
namespace {
constexpr size_t kKeptFrontEnds = 32;
}  // namespace

std::shared_ptr<const Pipeline> FrontEnds::of(const Spec& input, const std::string& where) {
  const std::string key =
      fmt::format("{} {} {:a}", to_string(input.domain), fmt::join(input.shape, "x"), input.rate_hz);
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& entry) { return entry.first == key; });
    if (found != kept_.end()) {
      std::rotate(kept_.begin(), found, found + 1);
      return kept_.front().second;
    }
  }
  auto made = std::make_shared<const Pipeline>(front_end_for(bundle_, registry_, input, where));
  const std::lock_guard lock(mutex_);
  kept_.emplace_front(key, made);
  if (kept_.size() > kKeptFrontEnds) kept_.pop_back();
  return made;
}

}  // namespace amae::serve
