// One tree on top of another.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// `over` on top of `base` (null: nothing there). Maps merge key by key in the order of `base`; everything else
/// replaces. Tags of `over`: `!append` and `!prepend` join lists, `!patch` merges each item into the one of the same id
/// or name, `!replace` drops the base. An empty value on a map changes nothing (all its keys may be commented out); `~`
/// clears it. The result has no tags and may share nodes with both. `path` is for messages.
NodePtr merge(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems);

}  // namespace amae::config
