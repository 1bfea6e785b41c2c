// From a path and the words of the command line to one merged tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// Reads `path`, merges what it `extends` (a path or a list; relative to the file; later wins; maps merge, lists
/// replace unless tagged `!append`, `!prepend` or `!patch` (by id or name)), then applies overrides left to right:
///
///   optim.lr=3e-4            a dotted path; list items by `id`, else by `name`, else by position
///   transforms.specaug.p=0   an unknown path in a map adds the key; the reader then judges it
///   data=@other.yaml         the value is a file
///   transforms+={name: gain} appends to a list
///
/// then resolves `${path.to.key}` and `${env:NAME,default}` inside scalars (values only, after merging; cycles and
/// unset names are errors). The result has no `extends` key. Throws InputError with every problem found.
NodePtr load(const std::filesystem::path& path, const std::vector<std::string>& overrides);

/// The same for a document already in memory, as the embedded quickstart.
NodePtr load_text(std::string_view text, const std::string& source, const std::vector<std::string>& overrides);

}  // namespace amae::config
