// `${path.to.key}` and `${env:NAME,default}` in the values of a merged tree.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// Resolves every reference in place. A value that is one reference and nothing else (with or without quotes, which
/// YAML asks for inside brackets) takes the kind of what it names: `lr: ${base}` is a number when base is. Within
/// longer text the referenced text is put in. `$${` stands for a literal `${`. Appends a Problem (CFG-REF, CFG-CYCLE,
/// CFG-LIMIT) for each mistake.
void interpolate(Node& root, std::vector<Problem>& problems);

/// Text that interpolate() turns back into `text`.
std::string escape_references(const std::string& text);

}  // namespace amae::config
