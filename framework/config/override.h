// `key=value` from the command line, put into a tree.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// Reads the file of `key=@file`; `named_at` is where it was asked for. Null when it could not, with a Problem noted.
using ReadFile = std::function<NodePtr(const std::string& path, const Mark& named_at)>;

/// Applies one override to `root` in place. `source` is "<argument N>". A value with a merge tag merges into what
/// stands there; any other replaces it. Appends a Problem (CFG-OVERRIDE, or those of the value) when it cannot.
void apply_override(NodePtr& root, std::string_view argument, const std::string& source, const ReadFile& read_file,
                    std::vector<Problem>& problems);

}  // namespace amae::config
