// The bundle's front end for signals of any length and rate, made once for each kind.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "train/bundle.h"

namespace amae::serve {

/// Thread-safe.
class FrontEnds {
 public:
  /// Both outlive it.
  FrontEnds(const Bundle& bundle, const Registry& registry) : bundle_(bundle), registry_(registry) {}

  /// As front_end_for(). The last few are kept.
  std::shared_ptr<const Pipeline> of(const Spec& input, const std::string& where);

 private:
  const Bundle& bundle_;
  const Registry& registry_;
  std::mutex mutex_;
  std::deque<std::pair<std::string, std::shared_ptr<const Pipeline>>> kept_;  // the last used first
};

}  // namespace amae::serve
